// Cases by name, run one after the other, one line of JSON for each: `main.js --list`, `main.js ADDRESS PREFIX CASE…`.
const { isDeepStrictEqual, inspect } = require("util");

const cases = new Map();

function equal(found, expected, what) {
  if (!isDeepStrictEqual(found, expected)) throw new Error(`${what}: ${inspect(found)}, not ${inspect(expected)}`);
}

async function refused(act, ...names) {
  let failure;
  try { await act(); } catch (error) { failure = error; }
  if (!failure) throw new Error("it was not refused");
  const said = inspect(failure, { depth: 4 });
  if (!names.some(name => said.includes(name))) throw new Error(`refused with ${said}, not ${names}`);
}

const sleep = ms => new Promise(done => setTimeout(done, ms));

async function until(what, ready, seconds = 30) {
  for (const end = Date.now() + seconds * 1000; !(await ready()); await sleep(20)) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
  }
}

async function main() {
  const [address, prefix, ...names] = process.argv.slice(2);
  if (address === "--list") return console.log([...cases.keys()].join("\n"));
  for (const name of names) {
    const begin = Date.now();
    let error = null;
    try {
      await cases.get(name)({ address, name: what => `${prefix}-${name}-${what}` });
    } catch (failure) {
      error = `${failure.name}: ${failure.message}`;
    }
    console.log(JSON.stringify({ case: name, ok: error === null, error, seconds: (Date.now() - begin) / 1000 }));
  }
  process.exit(0);
}

module.exports = { cases, equal, main, refused, sleep, until };
