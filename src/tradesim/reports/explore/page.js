// The page: what is shown where, and what happens when something moves.

class Page {
  constructor() {
    this.emulator = new Emulator();
    this.store = new Store((settled) => this.ask(settled));
    this.settled = true;
    this.charts();
    this.controls();
    this.tools();
    this.notice();
    this.draw(true);
    addEventListener("hashchange", () => {
      if (location.hash.slice(1) === this.store.saved) return;
      this.store.load(location.hash.slice(1));
      this.notice();
    });
  }

  // One drawing a frame, however many events come.
  ask(settled = false) {
    this.settled ||= settled;
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      const done = this.settled;
      this.settled = false;
      this.draw(done);
    });
  }

  charts() {
    const history = data.reported, first = history.length ? history[0][0] : data.years[0];
    this.level = new Fan(byId("level"), {first, history});
    this.map = data.map && new RouteMap(byId("map"), byId("map-key"));
    this.change = new Fan(byId("change"), {first: data.years[0], zero: true, line: 5});
    this.gains = new Bars(byId("gains"), data.sides, {describe: (side, value, places) =>
      fill(words.gains.alt, {side, mean: signed(value.mean, places), low: signed(value.low, places), high: signed(value.high, places)})});
    const describe = (title, value, places) => `${title}: ${signed(value.mean, places)}`;
    [this.groups, this.products] = ["groups", "products"].map((kind) => data.countries.map(({name}) => {
      const holder = element("div", {class: "bars"});
      byId(kind).append(element("div", {}, element("h3", {}, fill(words.groups.into, {country: name})), holder));
      return new Bars(holder, data[kind], {describe});
    }));
    byId("by-product").addEventListener("toggle", () => this.ask(true));
  }

  controls() {
    const {store} = this, {controls, families} = words;
    this.preset = byId("preset");
    data.presets.forEach(({title}, place) => this.preset.append(element("option", {value: place}, title)));
    this.own = element("option", {value: "own", hidden: true}, words.new_package);
    this.preset.append(this.own);
    this.preset.addEventListener("change", () => {
      const preset = data.presets[Number(this.preset.value)];
      if (preset) store.set(() => { store.state = {...stateOf(preset), year: store.state.year}; });
    });
    this.ways = Object.fromEntries([...Object.keys(data.growth.named), "own"].map((way) => {
      const input = element("input", {type: "radio", name: "growth", id: `growth-${way}`, onchange: () => this.grow(way)});
      const rates = data.growth.rates[way]?.map((rate) => number(rate, 1));
      const note = rates && element("span", {class: "small"}, fill(controls.rates, {first: rates[0], second: rates[1]}));
      byId("growth").append(element("div", {class: "way"}, input, element("label", {for: input.id}, controls[way], " ", note ?? "")));
      return [way, input];
    }));
    this.rates = Object.fromEntries(data.countries.map(({code, name}) => {
      const slider = new Slider({label: fill(controls.rate, {country: name}), low: data.growth.shown[0],
        high: data.growth.shown[1], step: 0.1, done: () => store.commit(),
        show: (value) => fill(words.chances.percent, {number: number(value, 1)}),
        moved: (value) => store.move((state) => { state.growth[code] = value; })});
      byId("rates").append(slider.root);
      return [code, slider];
    }));
    this.year = new Slider({label: controls.year, low: data.years[0], high: data.years.at(-1), step: 1, show: String,
      moved: (value) => store.move((state) => { state.year = value; }), done: () => store.commit()});
    byId("year").append(this.year.root);
    this.target = byId("target");
    this.target.addEventListener("change", () => {
      const value = Number(this.target.value);
      if (value >= data.target.low && value <= data.target.high) store.set((state) => { state.target = value; });
      else this.target.value = store.state.target;
    });
    this.cards = [];
    for (const [family, title] of Object.entries(families)) {
      const levers = data.levers.filter((lever) => lever.family === family);
      if (!levers.length) continue;
      const cards = levers.map((lever) => new Card(lever, store));
      byId("cards").append(element("h3", {}, title), ...cards.map((card) => card.root));
      this.cards.push(...cards);
    }
  }

  grow(way) {
    this.store.set((state) => {
      state.growth = way === "own" ? {...data.growth.usual} : way;
    });
  }

  tools() {
    const {store} = this, act = (id, action) => byId(id).addEventListener("click", action);
    act("undo", () => store.undo());
    act("redo", () => store.redo());
    act("reset", () => store.set(() => { store.state = stateOf(data.presets[0]); }));
    addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || event.target.type === "number") return;
      event.preventDefault();
      if (event.shiftKey) store.redo();
      else store.undo();
    });
    act("yaml", () => save("scenario.yaml", "text/yaml", yamlOf(store.state)));
    act("svg", () => save("tradesim.svg", "image/svg+xml", this.picture()));
    act("png", async () => save("tradesim.png", "image/png", await png(this.picture())));
    act("print", () => print());
    act("link", () => this.copy(`${location.href.split("#")[0]}#${store.saved}`));
    act("command", () => this.copy(commandOf(store.state)));
  }

  async copy(text) {
    const done = await copied(text);
    this.say(done ? words.buttons.copied : `${words.buttons.not_copied} ${text}`);
  }

  say(text) {
    byId("said").textContent = text;
    byId("said").hidden = false;
    clearTimeout(this.said);
    this.said = setTimeout(() => { byId("said").hidden = true; }, 6000);
  }

  picture() {
    return picture(this.texts, [{fan: this.level, title: words.charts.level}, {fan: this.change, title: words.charts.change}]);
  }

  notice() {
    const {reason} = this.store, place = byId("notice");
    place.hidden = !reason;
    place.textContent = reason ? fill(words.notices.bad_link, {reason}) : "";
  }

  draw(settled) {
    const {state} = this.store;
    this.answers = new Answers(this.emulator, state);
    const numbers = this.numbers = this.answers.numbers(), place = this.answers.place;
    const level = numbers.level[place], reference = numbers.reference[place];
    const change = numbers.change ? numbers.change[place] : null;
    this.write(numbers, level, change);
    this.fans(numbers, level, reference, change, settled);
    byId("by-product").hidden = !change || !data.products.length;
    for (const id of ["gains", "groups"]) {
      byId(id).hidden = !change;
      byId(`${id}-none`).hidden = Boolean(change);
    }
    byId("change-none").hidden = Boolean(change);
    if (change) this.sides(settled);
    this.map?.draw(this.answers.routes(), settled);
    this.show(settled);
    live?.ask(settled);
  }

  sides(settled) {
    const gains = this.answers.gains(), groups = this.answers.groups();
    this.gains.draw(gains, settled);
    this.goods(this.groups, groups, settled);
    if (byId("by-product").open) this.goods(this.products, this.answers.products(), settled);
  }

  goods(bars, changes, settled) {
    const most = Math.max(0.1, ...changes.flat().map(Math.abs));
    changes.forEach((values, flow) => {
      bars[flow].draw(values.map((value) => ({mean: value})), settled, most);
      if (bars === this.products) bars[flow].hide((place) => Math.abs(values[place]) < 0.005 * most);
    });
  }

  write(numbers, level, change) {
    const {state} = this.store, {headline, tiles, notices} = words;
    const target = amount(state.target, 0), {year} = state;
    const given = {chance: percent(numbers.chance), without: percent(numbers.without), target, year};
    byId("headline").replaceChildren(...sentence(change ? headline.chance : headline.none, given));
    const places = change ? placesFor(change[5], change[0], change[4]) : 0;
    const amounts = change ? {mean: amount(Math.abs(change[5]), places), low: signed(change[0], places),
      high: signed(change[4], places)} : {};
    const still = change && Math.abs(change[5]) < 0.05;
    const more = !change ? headline.start : still ? headline.nothing : change[5] > 0 ? headline.more : headline.less;
    byId("without").replaceChildren(...(change ? sentence(headline.chance_without, given) : []));
    byId("more").replaceChildren(...sentence(more, amounts));
    put(byId("tile-chance"), given.chance);
    put(byId("tile-chance-note"), change ? fill(tiles.chance_note, given) : "");
    const near = placesFor(level[2]);
    put(byId("tile-level-title"), fill(tiles.level, {year}));
    put(byId("tile-level"), amount(level[2], near));
    put(byId("tile-level-note"), fill(tiles.level_note, {low: amount(level[0], near), high: amount(level[4], near)}));
    put(byId("tile-change"), change ? signed(change[5], places) : "0");
    put(byId("tile-change-note"), change ? fill(tiles.change_note, amounts) : words.charts.zero);
    this.texts = {headline: fill(change ? headline.chance : headline.none, given),
      more: [change ? fill(headline.chance_without, given) : "", fill(more, amounts)].filter((text) => text).join(" "),
      chosen: this.answers.names.map((name) => leverOf.get(name).title).join(" \u00b7 "),
      foot: `tradesim ${data.made.version} \u00b7 ${notices.emulated} \u00b7 ${data.count}`};
    this.speak(change ? fill(headline.spoken, {...given, mean: signed(change[5], places), low: amounts.low, high: amounts.high})
      : fill(headline.none, given));
  }

  // What the model says of the same choice takes the place of what the page computed.
  checked(found) {
    const {place} = this.answers, change = found.change?.[place] ?? null;
    this.numbers = found;
    this.write(found, found.level[place], change);
    this.fans(found, found.level[place], found.reference[place], change, true);
  }

  // Read out when the hand rests.
  speak(text) {
    clearTimeout(this.spoken);
    this.spoken = setTimeout(() => {
      if (byId("spoken").textContent !== text) byId("spoken").textContent = text;
    }, 500);
  }

  fans(numbers, level, reference, change, settled) {
    const {state} = this.store, {charts} = words, {year} = state, last = data.years.at(-1);
    const middle = (rows) => rows.map((row) => row[2]);
    this.level.draw(numbers.level, change ? middle(numbers.reference) : null, year, state.target, {
      median: change ? charts.median : charts.reference, without: charts.reference, target: charts.target,
      alt: fill(charts.alt_level, {first: this.level.first, last, year, median: amount(level[2], 0),
        without: amount(reference[2], 0), target: amount(state.target, 0)})}, settled);
    byId("change").classList.toggle("empty", !change);
    const shown = numbers.change ?? data.years.map(() => [0, 0, 0, 0, 0, 0]);
    const here = change ?? [0, 0, 0, 0, 0, 0];
    this.change.draw(shown, null, year, null, {median: change ? charts.average : "", alt: change
      ? fill(charts.alt_change, {year, mean: signed(here[5]), low: signed(here[0]), high: signed(here[4])})
      : charts.zero}, settled);
  }

  show(settled) {
    const {store} = this, {state} = store, own = typeof state.growth !== "string";
    for (const [way, input] of Object.entries(this.ways)) input.checked = way === (own ? "own" : state.growth);
    byId("rates").hidden = !own;
    if (own) for (const [code, slider] of Object.entries(this.rates)) slider.set(state.growth[code] ?? data.growth.usual[code]);
    this.year.set(state.year);
    if (document.activeElement !== this.target) this.target.value = state.target;
    for (const card of this.cards) card.draw(this.answers, settled);
    if (!settled) return;
    byId("chosen").textContent = fill(words.chosen, {number: Object.keys(state.pulls).length});
    const preset = store.preset();
    this.own.hidden = Boolean(preset);
    this.preset.value = preset ? data.presets.indexOf(preset) : "own";
    byId("question").textContent = preset?.question ?? "";
    byId("undo").disabled = !store.past.length;
    byId("redo").disabled = !store.future.length;
    const note = (id, text) => { byId(id).textContent = fill(text, {year: state.year}); };
    note("gains-note", words.gains.note);
    note("groups-note", words.groups.note);
    if (data.map) note("map-note", words.map.note);
  }
}
