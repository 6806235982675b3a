// The emulator, as in studies/explore/emulator.py: every draw, and how each lever moves it.

class Emulator {
  constructor() {
    this.years = data.years;
    this.draws = data.draws;
    this.size = data.years.length * data.draws;
    this.flows = data.countries.length;
    this.reference = this.split(unpack(data.reference), this.flows, this.size);
    this.openGoods = unpack(data.open_goods);
    this.openEffect = unpack(data.open_effect);
    this.loadingSize = unpack(data.growth.size);
    this.loadingRate = this.split(unpack(data.growth.rate), this.flows, this.draws);
    this.levers = data.levers.map((lever) => ({
      ...lever,
      success: unpack(lever.success),
      effects: lever.effects.map((effect) => ({
        given: effect.given,
        paths: effect.paths.map((path) => path && {courses: path.c, mix: unpack(path.m)}),
        drawn: effect.drawn.map((size) => size && unpack(size)),
        sizes: effect.sizes,
      })),
      sides: lever.sides.map((side) => ({...side, amounts: unpack(side.amounts)})),
    }));
    this.place = new Map(this.levers.map((lever, place) => [lever.name, place]));
    this.kept = new Map();
    this.base = {key: null};
  }

  split(values, parts, size) {
    return Array.from({length: parts}, (_, part) => values.subarray(part * size, (part + 1) * size));
  }

  // Keep the last answer for each slot as long as its key stays the same.
  cached(slot, key, make) {
    const kept = this.kept.get(slot);
    if (kept && kept.key === key) return kept.value;
    const value = make();
    this.kept.set(slot, {key, value});
    return value;
  }

  growth(growth) {
    if (typeof growth === "string") return data.growth.named[growth];
    const moved = this.years.map(() => [0, 0]);
    for (const [code, rate] of Object.entries(growth)) {
      const [still, slope] = data.growth.own[code], log = Math.log1p(rate / 100);
      moved.forEach((row, t) => {
        row[0] += still[0][t] + slope[0][t] * log;
        row[1] += still[1][t] + slope[1][t] * log;
      });
    }
    return [moved.map((row) => row[0]), moved.map((row) => row[1])];
  }

  // Log of each flow without policies, and the flows themselves.
  without(growth) {
    return this.cached("without", JSON.stringify(growth), () => {
      const [size, rate] = this.growth(growth), {draws} = this;
      const logs = this.reference.map((reference, flow) => {
        const log = new Float32Array(this.size), loading = this.loadingRate[flow];
        for (let t = 0, i = 0; t < size.length; t++) {
          for (let d = 0; d < draws; d++, i++) {
            log[i] = reference[i] + this.loadingSize[d] * size[t] + loading[d] * rate[t];
          }
        }
        return log;
      });
      const flows = logs.map((log) => log.map(Math.exp));
      return {logs, flows, turnover: this.sum(flows)};
    });
  }

  sum(flows) {
    const total = new Float64Array(this.size);
    for (const flow of flows) for (let i = 0; i < total.length; i++) total[i] += flow[i];
    return total;
  }

  succeeds(pulls, name) {
    const lever = this.levers[this.place.get(name)];
    const first = lever.follows ? pulls[lever.follows] : null;
    return this.cached(`succeeds ${name}`, `${pulls[name].chance} ${first?.chance}`, () => {
      const found = lever.success.map((uniform) => (uniform < pulls[name].chance ? 1 : 0));
      if (first) {
        const before = this.succeeds(pulls, lever.follows);
        for (let d = 0; d < found.length; d++) found[d] *= before[d];
      }
      return found;
    });
  }

  shift(pulls, lever) {
    let {start} = pulls[lever.name];
    if (lever.follows) start = Math.max(start, pulls[lever.follows].start);
    return start - lever.solved;
  }

  // Size of an effect against that at the middle strength: by draw, or one number for all.
  sizes(lever, effect, flow, strength) {
    if (!lever.strength) return [1];
    if (strength === null && effect.drawn[flow]) return effect.drawn[flow];
    const {nodes, usual} = lever.strength, values = effect.sizes[flow], last = nodes.length - 2;
    const at = ((strength ?? usual) - nodes[0]) / (nodes[1] - nodes[0]);
    const below = Math.min(Math.max(Math.floor(at), 0), last);
    return [values[below] + (at - below) * (values[below + 1] - values[below])];
  }

  // Effect of a lever where it comes about, log points or USD million; null where nothing moves.
  effect(pulls, name) {
    const lever = this.levers[this.place.get(name)], pull = pulls[name];
    const first = lever.follows ? this.levers[this.place.get(lever.follows)] : null;
    const before = first ? pulls[first.name] : null;
    const shift = this.shift(pulls, lever);
    const key = [pull.variant, shift, pull.strength, before?.strength, before?.variant].join(" ");
    return this.cached(`effect ${name}`, key, () => {
      const effect = lever.effects[pull.variant];
      return effect.paths.map((path, flow) => {
        if (!path) return null;
        const scale = new Float32Array(this.draws).fill(1);
        const sizes = this.sizes(lever, effect, flow, pull.strength);
        for (let d = 0; d < scale.length; d++) scale[d] *= sizes[sizes.length > 1 ? d : 0];
        if (first && before.strength !== null) this.takeOver(scale, first, before, flow);
        const open = effect.given ? this.openGoods : this.openEffect;
        return this.path(path, shift, scale, lever.corridor ? open : null);
      });
    });
  }

  // A later stage has the strength of the first.
  takeOver(scale, first, before, flow) {
    const effect = first.effects[before.variant];
    const fixed = this.sizes(first, effect, flow, before.strength);
    const drawn = this.sizes(first, effect, flow, null);
    for (let d = 0; d < scale.length; d++) {
      const whole = drawn[drawn.length > 1 ? d : 0], part = fixed[fixed.length > 1 ? d : 0];
      scale[d] *= whole === 0 ? 1 : Math.min(Math.max(part / whole, 0), data.most);
    }
  }

  path(path, shift, scale, open) {
    const found = new Float32Array(this.size), {draws} = this;
    for (let t = Math.max(0, shift); t < this.years.length; t++) {
      const here = found.subarray(t * draws, (t + 1) * draws);
      path.courses.forEach((course, component) => {
        const weight = course[Math.min(t - shift, course.length - 1)], mix = component * draws;
        for (let d = 0; d < draws; d++) here[d] += weight * path.mix[mix + d];
      });
      for (let d = 0; d < draws; d++) here[d] *= scale[d] * (open ? open[t * draws + d] : 1);
    }
    return found;
  }

  // Effect in the draws in which the lever comes about, elsewhere zero.
  acting(pulls, name) {
    const effect = this.effect(pulls, name), succeeds = this.succeeds(pulls, name);
    const kept = this.kept.get(`acting ${name}`);
    if (kept && kept.effect === effect && kept.succeeds === succeeds) return kept.value;
    const value = effect.map((values) => {
      if (!values) return null;
      const found = new Float32Array(this.size);
      for (let t = 0, i = 0; t < this.years.length; t++) {
        for (let d = 0; d < this.draws; d++, i++) found[i] = values[i] * succeeds[d];
      }
      return found;
    });
    this.kept.set(`acting ${name}`, {effect, succeeds, value});
    return value;
  }

  // Both flows with the policies, USD million.
  with(state) {
    const {logs} = this.without(state.growth), names = this.order(state.pulls);
    const given = names.filter((name) => this.isGiven(state.pulls, name));
    const acting = new Map(names.map((name) => [name, this.acting(state.pulls, name)]));
    const flows = logs.map((log, flow) => {
      const total = Float32Array.from(log);
      for (const name of names) {
        const effect = acting.get(name)[flow];
        if (effect && !given.includes(name)) for (let i = 0; i < total.length; i++) total[i] += effect[i];
      }
      for (const [one, other, factors] of data.pairs) {
        if (!acting.has(one) || !acting.has(other) || factors[flow] === 0) continue;
        const a = acting.get(one)[flow], b = acting.get(other)[flow], factor = factors[flow];
        if (a && b) for (let i = 0; i < total.length; i++) total[i] += factor * a[i] * b[i];
      }
      for (let i = 0; i < total.length; i++) total[i] = Math.exp(total[i]);
      for (const name of given) {
        const goods = acting.get(name)[flow];
        if (goods) for (let i = 0; i < total.length; i++) total[i] += goods[i];
      }
      return total;
    });
    return {flows, turnover: this.sum(flows)};
  }

  order(pulls) {
    return this.levers.map((lever) => lever.name).filter((name) => name in pulls);
  }

  isGiven(pulls, name) {
    return this.levers[this.place.get(name)].effects[pulls[name].variant].given;
  }
}
