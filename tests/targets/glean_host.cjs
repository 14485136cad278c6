// A program of Node over glean, whose bindings borrow handles for calls and describe nothing: a step a
// line, and the handles that it has a line. Words: koffi, the library, 32 or 64: bits of a length, the
// crate.
"use strict";
const readline = require("node:readline");
const koffi = require(process.argv[2]);
const library = koffi.load(process.argv[3]);
const crate = process.argv[5];
const count = process.argv[4] === "32" ? "int32" : "uint64";

koffi.struct("Buffer", { capacity: count, length: count, data: "void *" });
koffi.struct("Status", { code: "int8", error: "Buffer" });
koffi.struct("Foreign", { length: "int32", data: "uint8 *" });
const fill = library.func(`Buffer ffi_${crate}_rustbuffer_from_bytes(Foreign, _Inout_ Status *)`);
const make = library.func(
  `uint64 uniffi_${crate}_fn_constructor_countermetric_new(Buffer, _Inout_ Status *)`);
const free = library.func(`void uniffi_${crate}_fn_free_countermetric(uint64, _Inout_ Status *)`);
const status = () => ({ code: 0, error: { capacity: 0, length: 0, data: null } });
const kept = [];

// a record: category, name, one ping, lifetime, whether it is off, no label
const text = (word) => [0, 0, 0, word.length, ...Buffer.from(word)];
const RECORD = [...text("a"), ...text("b"), 0, 0, 0, 1, ...text("c"), 0, 0, 0, 1, 0, 0];

function makeOne() {
  const result = status();
  const handle = make(fill({ length: RECORD.length, data: RECORD }, status()), result);
  if (result.code !== 0) throw new Error(`refused: ${result.code}`);
  kept.push(handle);
}

async function main() {
  console.log("ready");
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [word, times] = line.split(" ");
    if (word === "make") for (let at = 0; at < Number(times); at++) makeOne();
    if (word === "close") free(kept.pop(), status());
    console.log(kept.length);
  }
  while (kept.length) free(kept.pop(), status());
}

main();
