import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import org.bitcoindevkit.Address;
import org.bitcoindevkit.Mnemonic;
import org.bitcoindevkit.Network;
import org.bitcoindevkit.Script;
import org.bitcoindevkit.WordCount;

/** A program over bdk: a step a line, and the objects that it keeps a line. */
public class BdkHost {
    private static final List<AutoCloseable> kept = new ArrayList<>();

    public static void main(String[] words) throws Exception {
        BufferedReader steps = new BufferedReader(new InputStreamReader(System.in));
        System.out.println("ready");
        String step;
        while ((step = steps.readLine()) != null) {
            String[] parts = step.split(" ");
            int count = parts.length > 1 ? Integer.parseInt(parts[1]) : 0;
            act(parts[0], count);
            System.out.println(kept.size());
        }
        while (!kept.isEmpty()) close();
    }

    private static void act(String act, int count) throws Exception {
        if (act.equals("make")) makeMnemonics(count);
        if (act.equals("lose")) for (int at = 0; at < count; at++) new Mnemonic(WordCount.WORDS12);
        if (act.equals("thread")) {
            Thread maker = new Thread(() -> makeMnemonics(count), "maker");
            maker.start();
            maker.join();
        }
        if (act.equals("script")) makeScript();
        if (act.equals("call"))
            for (int at = 0; at < count; at++) ((Mnemonic) kept.get(0)).toString();
        if (act.equals("close")) close();
    }

    private static void makeMnemonics(int count) {
        for (int at = 0; at < count; at++) kept.add(new Mnemonic(WordCount.WORDS12));
    }

    /** A method that returns an object. */
    private static void makeScript() throws Exception {
        Address address =
            new Address("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", Network.BITCOIN);
        kept.add(address);
        kept.add(address.scriptPubkey());
    }

    private static void close() throws Exception {
        kept.remove(kept.size() - 1).close();
    }
}
