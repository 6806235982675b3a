// What the reader has chosen: in the address after #, with undo and redo.

const VERSION = 1;

class Invalid extends Error {}

const leverOf = new Map(data.levers.map((lever) => [lever.name, lever]));

function usualPull(name) {
  const lever = leverOf.get(name);
  return {variant: 0, start: lever.start, chance: lever.chance,
    strength: lever.strength && !lever.strength.drawn ? lever.strength.usual : null};
}

function stateOf(preset) {
  return {growth: structuredClone(preset.growth), year: data.years.at(-1), target: preset.target,
    pulls: structuredClone(preset.pulls)};
}

const short = (value) => String(Number(value.toPrecision(6)));

// #1;growth=record;year=2035;target=500;LEVER=variant,start,chance,strength
function written(state) {
  const growth = typeof state.growth === "string" ? state.growth
    : Object.entries(state.growth).map(([code, rate]) => `${code}:${short(rate)}`).join(",");
  const parts = [VERSION, `growth=${growth}`, `year=${state.year}`, `target=${short(state.target)}`];
  for (const {name} of data.levers) {
    const pull = state.pulls[name];
    if (pull) {
      parts.push(`${name}=${[pull.variant, pull.start, short(pull.chance),
        pull.strength === null ? "" : short(pull.strength)].join(",")}`);
    }
  }
  return parts.join(";");
}

function numeral(text, name, low, high, whole = false) {
  const value = text === "" || text === undefined ? NaN : Number(text);
  if (!Number.isFinite(value) || value < low || value > high || (whole && !Number.isInteger(value))) {
    throw new Invalid(fill(words.notices.out_of_range, {name}));
  }
  return value;
}

function growthFrom(text) {
  if (text in data.growth.named) return text;
  const growth = {};
  for (const part of text.split(",")) {
    const [code, rate] = part.split(":");
    if (!data.countries.some((country) => country.code === code)) {
      throw new Invalid(fill(words.notices.out_of_range, {name: "growth"}));
    }
    growth[code] = numeral(rate, `growth ${code}`, data.growth.low, data.growth.high);
  }
  return growth;
}

function pullFrom(name, text) {
  const lever = leverOf.get(name), [variant, start, chance, strength] = text.split(",");
  const pull = {
    variant: numeral(variant, name, 0, lever.variants.length - 1, true),
    start: numeral(start, name, lever.first, data.years.at(-1), true),
    chance: numeral(chance, name, 0, 1), strength: null,
  };
  if (lever.strength && (strength || !lever.strength.drawn)) {
    pull.strength = numeral(strength, name, lever.strength.low, lever.strength.high);
  }
  return pull;
}

// Read what stands after #; throws Invalid with the reason.
function read(text) {
  const [version, ...parts] = decodeURIComponent(text).split(";");
  if (!/^\d+$/.test(version)) throw new Invalid(words.notices.no_version);
  if (Number(version) > VERSION) throw new Invalid(words.notices.newer);
  const state = stateOf(data.presets[0]);
  state.pulls = {};
  for (const part of parts.filter((one) => one)) {
    const at = part.indexOf("="), name = part.slice(0, at), value = part.slice(at + 1);
    if (name === "growth") state.growth = growthFrom(value);
    else if (name === "year") state.year = numeral(value, name, data.years[0], data.years.at(-1), true);
    else if (name === "target") state.target = numeral(value, name, data.target.low, data.target.high);
    else if (leverOf.has(name)) state.pulls[name] = pullFrom(name, value);
    else throw new Invalid(fill(words.notices.unknown_lever, {name: name || part}));
  }
  for (const name of Object.keys(state.pulls)) {
    const {follows} = leverOf.get(name);
    if (follows && !(follows in state.pulls)) state.pulls[follows] = usualPull(follows);
  }
  return state;
}

function readOrDefault(text) {
  if (!text) return {state: stateOf(data.presets[0]), reason: null};
  try {
    return {state: read(text), reason: null};
  } catch (error) {
    const reason = error instanceof Invalid ? error.message : words.notices.no_version;
    return {state: stateOf(data.presets[0]), reason};
  }
}

class Store {
  constructor(changed) {
    this.changed = changed;
    const {state, reason} = readOrDefault(location.hash.slice(1));
    this.state = state;
    this.reason = reason;
    this.past = [];
    this.future = [];
    this.saved = written(state);
  }

  // While a handle moves: shown at once, remembered when it is let go.
  move(change) {
    change(this.state);
    this.changed();
  }

  commit() {
    const now = written(this.state);
    if (now !== this.saved) {
      this.past.push(this.saved);
      this.future = [];
      this.saved = now;
    }
    this.address();
    this.changed(true);
  }

  set(change) {
    change(this.state);
    this.commit();
  }

  address() {
    history.replaceState(null, "", `#${this.saved}`);
  }

  go(from, to) {
    if (!from.length) return;
    to.push(this.saved);
    this.saved = from.pop();
    this.state = read(this.saved);
    this.address();
    this.changed(true);
  }

  undo() { this.go(this.past, this.future); }

  redo() { this.go(this.future, this.past); }

  // The address was edited, or a link opened in the same window.
  load(text) {
    const {state, reason} = readOrDefault(text);
    this.reason = reason;
    this.state = state;
    this.commit();
  }

  preset() {
    const here = written({...this.state, year: data.years.at(-1)});
    return data.presets.find((preset) => written(stateOf(preset)) === here);
  }
}
