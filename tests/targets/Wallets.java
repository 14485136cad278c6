import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.HashMap;
import java.util.Map;
import org.bitcoindevkit.Disposable;
import org.bitcoindevkit.ElectrumClient;
import org.bitcoindevkit.Mnemonic;
import org.bitcoindevkit.WordCount;

/** Makes, destroys and drops objects of a UniFFI package, a command a line. */
public final class Wallets {
    private static final Map<String, Disposable> kept = new HashMap<>();

    /** A class that the program derives from one of the package. */
    static final class Named extends Mnemonic {
        Named() {
            super(WordCount.WORDS12);
        }
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        answer("ready {}");
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] words = line.split(" ");
            obey(words);
            answer(words[0]);
        }
    }

    private static void obey(String[] words) throws Exception {
        int count = words.length > 2 ? Integer.parseInt(words[2]) : 1;
        for (int number = 0; number < count; number++) {
            String name = words.length > 1 ? words[1] + number : "";
            switch (words[0]) {
                case "make" -> kept.put(name, new Mnemonic(WordCount.WORDS12));
                case "derive" -> kept.put(name, new Named());
                case "destroy" -> kept.remove(name).destroy();
                case "drop" -> kept.remove(name);
                case "collect" -> System.gc();
                default -> call(words);
            }
        }
    }

    /** A call that does not return before the server answers. */
    private static void call(String[] words) throws Exception {
        if (words[0].equals("connect")) {
            kept.put("client", new ElectrumClient("tcp://127.0.0.1:" + words[1], null));
        } else if (words[0].equals("ping")) {
            ElectrumClient client = (ElectrumClient) kept.get("client");
            Thread pinger = new Thread(() -> ping(client), "pinger of the wallet");
            pinger.setDaemon(true);
            pinger.start();
        } else if (words[0].equals("leave")) {
            kept.remove("client").destroy();
        }
    }

    private static void ping(ElectrumClient client) {
        try {
            client.ping();
        } catch (Exception expected) {
            System.err.println(expected);
        }
    }

    private static void answer(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
