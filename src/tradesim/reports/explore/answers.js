// From draws to what is shown: probability, fans, who gains, which goods, what levers do together.

const LEVELS = [0.1, 0.25, 0.5, 0.75, 0.9];

class Answers {
  constructor(emulator, state) {
    this.emulator = emulator;
    this.state = state;
    this.without = emulator.without(state.growth);
    this.names = emulator.order(state.pulls);
    this.with = this.names.length ? emulator.with(state) : this.without;
    this.place = emulator.years.indexOf(state.year);
  }

  at(turnover, place = this.place) {
    return turnover.subarray(place * this.emulator.draws, (place + 1) * this.emulator.draws);
  }

  chance(turnover) {
    const here = this.at(turnover);
    let reached = 0;
    for (let d = 0; d < here.length; d++) if (here[d] >= this.state.target) reached++;
    return reached / here.length;
  }

  difference() {
    const found = new Float64Array(this.emulator.size);
    const {turnover} = this.with, before = this.without.turnover;
    for (let i = 0; i < found.length; i++) found[i] = turnover[i] - before[i];
    return found;
  }

  // Quantiles by year, and the mean.
  fan(turnover) {
    return this.emulator.years.map((_, place) => {
      const sorted = Float64Array.from(this.at(turnover, place)).sort();
      return [...LEVELS.map((level) => quantile(sorted, level)), mean(sorted)];
    });
  }

  numbers() {
    const changes = this.difference();
    return {
      chance: this.chance(this.with.turnover), without: this.chance(this.without.turnover),
      level: this.fan(this.with.turnover), reference: this.fan(this.without.turnover),
      change: this.names.length ? this.fan(changes) : null,
    };
  }

  // Mean change of each flow by one lever alone where it comes about, USD million in the year.
  alone(name, pulls) {
    const {emulator, place} = this, effect = emulator.effect(pulls, name), {draws} = emulator;
    const given = emulator.isGiven(pulls, name);
    return this.without.flows.map((flow, at) => {
      if (!effect[at]) return 0;
      let sum = 0;
      for (let i = place * draws; i < (place + 1) * draws; i++) {
        sum += given ? effect[at][i] : flow[i] * Math.expm1(effect[at][i]);
      }
      return sum / draws;
    });
  }

  // How much stronger a lever is than as usual, and how far its course is in the year.
  scale(name) {
    const {emulator, state} = this, lever = emulator.levers[emulator.place.get(name)];
    const shift = emulator.shift(state.pulls, lever), {variant, strength} = state.pulls[name];
    const before = Math.min(this.place - shift, emulator.years.length - 1);
    if (before < 0) return null;
    let size = 1;
    if (strength !== null && lever.strength) {
      const effect = lever.effects[variant];
      const [now, usual] = [strength, null].map((x) => effect.paths.reduce((sum, path, flow) => {
        if (!path) return sum;
        return sum + mean(emulator.sizes(lever, effect, flow, x)) * Math.abs(path.courses[0].at(-1));
      }, 0));
      size = usual ? now / usual : 1;
    }
    return {before, size, side: lever.sides[variant]};
  }

  // How much larger trade is in the year than in that in which the effect was simulated.
  grown(before) {
    return mean(this.at(this.without.turnover)) / data.mean_reference[before];
  }

  gains() {
    const {emulator, state} = this, count = data.side_draws;
    const sums = data.sides.map(() => new Float64Array(count));
    for (const name of this.names) {
      const found = this.scale(name);
      if (!found) continue;
      const succeeds = emulator.succeeds(state.pulls, name), {side} = found;
      data.sides.forEach((_, s) => {
        const factor = found.size * side.course[s][found.before] * this.grown(found.before);
        for (let d = 0; d < count; d++) sums[s][d] += succeeds[d] * factor * side.amounts[s * count + d];
      });
    }
    return sums.map((values) => {
      const sorted = Float64Array.from(values).sort();
      return {mean: mean(values), low: quantile(sorted, 0.1), high: quantile(sorted, 0.9)};
    });
  }

  // Mean change of each group, or product, into one importer: what levers do alone, added up.
  added(kind, flow) {
    const sums = data[kind].map(() => 0);
    for (const name of this.names) {
      const found = this.scale(name);
      if (!found) continue;
      const chance = mean(this.emulator.succeeds(this.state.pulls, name));
      found.side[kind][flow].forEach((course, place) => {
        sums[place] += chance * found.size * course[found.before] * this.grown(found.before);
      });
    }
    return sums;
  }

  products() {
    return data.countries.map((_, flow) => this.added("products", flow));
  }

  // By importer and group, made to add up to the change of each flow.
  groups() {
    return data.countries.map((_, flow) => {
      const sums = this.added("groups", flow);
      const total = mean(this.at(this.with.flows[flow])) - mean(this.at(this.without.flows[flow]));
      const known = sums.reduce((a, b) => a + b, 0), weight = sums.reduce((a, b) => a + Math.abs(b), 0);
      return weight ? sums.map((value) => value + (total - known) * Math.abs(value) / weight) : sums;
    });
  }

  // Mean trade on each route without and with the policies, USD million.
  routes() {
    const {emulator, state, place} = this;
    const [before, after] = [this.without, this.with].map(({flows}) => flows.map((flow) => mean(this.at(flow))));
    const moved = this.names.map((name) => [this.scale(name), mean(emulator.succeeds(state.pulls, name))]);
    const shares = data.map.routes.map(({shares: own}, route) => own.map((years, flow) =>
      Math.max(0, moved.reduce((share, [found, chance]) =>
        share + (found ? chance * found.size * found.side.routes[route][flow][found.before] : 0), years[place]))));
    const whole = before.map((_, flow) => shares.reduce((sum, own) => sum + own[flow], 0));
    return data.map.routes.map(({shares: own}, route) => [
      before.reduce((sum, value, flow) => sum + value * own[flow][place], 0),
      after.reduce((sum, value, flow) => sum + value * shares[route][flow] / whole[flow], 0)]);
  }

  // What a lever and others in use add, or lose, by being there together, USD million.
  together(name) {
    const {emulator, place, state} = this, {draws} = emulator, found = [];
    for (const [one, other, factors] of data.pairs) {
      const partner = one === name ? other : other === name ? one : null;
      if (!partner || !(partner in state.pulls) || !(name in state.pulls)) continue;
      const a = emulator.acting(state.pulls, one), b = emulator.acting(state.pulls, other);
      let sum = 0;
      this.with.flows.forEach((flow, at) => {
        if (!a[at] || !b[at]) return;
        for (let i = place * draws; i < (place + 1) * draws; i++) {
          sum += flow[i] * factors[at] * a[at][i] * b[at][i];
        }
      });
      found.push({partner, amount: sum / draws});
    }
    return found.filter((pair) => Math.abs(pair.amount) >= 0.5)
      .sort((a, b) => Math.abs(b.amount) - Math.abs(a.amount)).slice(0, 2);
  }
}
