// A program of Node over a library of UniFFI's, by koffi: a step a line, and the handles that it has
// a line. Words: koffi, the library, then the names below.
"use strict";
const readline = require("node:readline");
const koffi = require(process.argv[2]);
const library = koffi.load(process.argv[3]);

const Buffer_ = koffi.struct("Buffer", { capacity: "uint64", length: "uint64", data: "void *" });
const Status = koffi.struct("Status", { code: "int8", error: Buffer_ });
// the crate, a constructor from a number, and two methods of its class
const [crate, constructor, again, asked] = process.argv.slice(4);
const PREFIX = `uniffi_${crate}_fn_`;
const [type] = constructor.split("_");
const make = library.func(`uint64 ${PREFIX}constructor_${constructor}(uint64, _Inout_ Status *)`);
const clone = library.func(`uint64 ${PREFIX}clone_${type}(uint64, _Inout_ Status *)`);
const free = library.func(`void ${PREFIX}free_${type}(uint64, _Inout_ Status *)`);
const one = (name) => library.func(`uint64 ${PREFIX}method_${type}_${name}(uint64, _Inout_ Status *)`);
const itself = again ? one(again) : null;
const number = one(asked);
const status = () => ({ code: 0, error: { capacity: 0, length: 0, data: null } });
const kept = [];
const last = () => clone(kept[kept.length - 1], status());

function onWorker(at) {
  return new Promise((resolve, reject) =>
    make.async(at, status(), (error, handle) => (error ? reject(error) : resolve(handle))));
}

async function act(word, count) {
  if (word === "make") for (let at = 0; at < count; at++) kept.push(make(at, status()));
  if (word === "worker") for (let at = 0; at < count; at++) kept.push(await onWorker(at));
  if (word === "itself") kept.push(itself(last(), status()));
  if (word === "call") for (let at = 0; at < count; at++) number(last(), status());
  if (word === "close") free(kept.pop(), status());
}

async function main() {
  console.log("ready");
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [word, count] = line.split(" ");
    await act(word, Number(count ?? 0));
    console.log(kept.length);
  }
  while (kept.length) free(kept.pop(), status());
}

main();
