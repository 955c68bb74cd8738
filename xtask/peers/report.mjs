// What every walk of a foreign client shares: reading the sandbox's words, and telling what happened.

import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

let differences = 0;
let steps = 0;

/** The sandbox as it described itself: one JSON document on standard input. */
export const sandbox = JSON.parse(readFileSync(0, 'utf8'));

/** A step's outcome: `found` is what the client gave, and it must be `expected`. */
export function equal(what, found, expected) {
  tell(what, isDeepStrictEqual(found, expected), `found ${show(found)}, expected ${show(expected)}`);
}

/** A step's outcome that is more than an equality. */
export function holds(what, condition, found) {
  tell(what, Boolean(condition), `found ${show(found)}`);
}

/** A call that must be refused; the refusal is given to `judge`. */
export async function refused(what, call, judge) {
  try {
    tell(what, false, `was answered with ${show(await call())}`);
  } catch (error) {
    tell(what, judge(error), `refused with ${error?.message ?? error} ${show(error?.response?.body)}`);
  }
}

/** Runs a walk; what it throws is a difference like any other. */
export async function walk(name, steps_of_it) {
  try {
    await steps_of_it();
  } catch (error) {
    tell(`${name} walks to its end`, false, error?.stack ?? String(error));
  }
  console.log(`${name}: ${steps} steps, ${differences} differ`);
  process.exit(differences === 0 ? 0 : 1);
}

/** A date some days from today, as yyyy-MM-dd. */
export function day(from_today) {
  return new Date(Date.now() + from_today * 86_400_000).toISOString().slice(0, 10);
}

function tell(what, good, otherwise) {
  steps += 1;
  if (good) {
    console.log(`  ok       ${what}`);
  } else {
    differences += 1;
    console.log(`  DIFFERS  ${what}: ${otherwise}`);
  }
}

function show(value) {
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 600);
  } catch {
    return String(value); // goes round in circles
  }
}
