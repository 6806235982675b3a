// Cards of levers: switched on by a box, moved by native sliders.

class Slider {
  constructor({label, low, high, step, show, moved, done}) {
    const id = `slider-${Slider.made = (Slider.made ?? 0) + 1}`;
    this.show = show;
    this.input = element("input", {type: "range", id, min: low, max: high, step,
      oninput: () => { this.text(); moved(Number(this.input.value)); }, onchange: done});
    this.value = element("output", {for: id});
    this.root = element("div", {class: "slider"}, element("label", {for: id}, label), this.value, this.input);
  }

  // The value as it is: the handle stands at the nearest step.
  set(value) {
    if (Number(this.input.value) !== value) this.input.value = value;
    this.text(value);
  }

  text(value = Number(this.input.value)) {
    const shown = this.show(value);
    if (shown === this.shown) return;
    this.shown = shown;
    this.value.textContent = shown;
    this.input.setAttribute("aria-valuetext", shown);
  }
}

function strengthShown(strength, value) {
  if (/\bshare\b/.test(strength.unit)) {
    return fill(words.chances.percent, {number: number(100 * value, strength.high < 0.2 ? 1 : 0)});
  }
  const places = Math.max(0, Math.min(4, 1 - Math.floor(Math.log10(strength.high || 1))));
  return `${number(value, places)} ${strength.unit}`;
}

class Card {
  constructor(lever, store) {
    this.lever = lever;
    this.store = store;
    const {name} = lever, pull = () => store.state.pulls[name];
    const moved = (key) => (value) => store.move(() => { pull()[key] = value; });
    const done = () => store.commit();
    this.box = element("input", {type: "checkbox", id: `on-${name}`, onchange: () => this.toggle()});
    this.badge = element("span", {class: "badge"});
    this.start = new Slider({label: words.controls.start, low: lever.first, high: data.years.at(-1), step: 1,
      show: String, moved: moved("start"), done});
    this.chance = new Slider({label: words.controls.chance, low: 0, high: 1, step: 0.01, moved: moved("chance"), done,
      show: (value) => (value === 1 ? words.controls.certain : fill(words.chances.percent, {number: Math.round(100 * value)}))});
    this.notes = element("div", {class: "notes"});
    this.body = element("div", {class: "body"}, this.start.root, this.chance.root,
      lever.strength ? this.strengthPart(moved("strength"), done) : null,
      lever.variants.length > 1 ? this.variantPart() : null, this.notes);
    this.root = element("section", {class: "card", "data-lever": name},
      element("div", {class: "head"}, this.box,
        element("label", {for: `on-${name}`}, lever.title), this.badge),
      this.body, this.details());
  }

  strengthPart(moved, done) {
    const {strength, name} = this.lever;
    this.strength = new Slider({label: strength.title, low: strength.low, high: strength.high,
      step: (strength.high - strength.low) / 100, show: (value) => strengthShown(strength, value), moved, done});
    if (!strength.drawn) return this.strength.root;
    const note = fill(words.controls.estimated_note, {value: strengthShown(strength, strength.usual)});
    this.estimated = element("input", {type: "checkbox", id: `estimated-${name}`, onchange: () =>
      this.store.set((state) => {
        state.pulls[name].strength = this.estimated.checked ? null : strength.usual;
      })});
    return element("div", {class: "strength"}, this.strength.root, element("div", {class: "tick"}, this.estimated,
      element("label", {for: this.estimated.id}, note)));
  }

  variantPart() {
    const {name, variants} = this.lever;
    this.variant = element("select", {id: `variant-${name}`, onchange: () =>
      this.store.set((state) => { state.pulls[name].variant = Number(this.variant.value); })},
    ...variants.map(({title}, place) => element("option", {value: place}, title || words.controls.usual)));
    return element("div", {class: "choice"}, element("label", {for: this.variant.id}, words.controls.variant), this.variant);
  }

  details() {
    const {lever} = this, {controls} = words;
    const sources = lever.sources.map(({title, url}) => element("li", {},
      /^https?:\/\//.test(url) ? element("a", {href: url, rel: "noreferrer noopener"}, title) : title));
    const grades = lever.grades.map(({title, grade, source}) => element("li", {},
      `${title}. ${fill(controls.grade, {grade, meaning: controls[grade]})}. ${source}`));
    return element("details", {}, element("summary", {}, controls.more), element("p", {}, lever.state),
      lever.corridor ? element("p", {}, controls.corridor) : null,
      lever.consent ? element("p", {}, controls.consent) : null,
      element("ul", {}, ...sources), element("ul", {class: "grades"}, ...grades));
  }

  toggle() {
    const {name, follows} = this.lever, on = this.box.checked;
    this.store.set((state) => {
      if (on) {
        if (follows && !(follows in state.pulls)) state.pulls[follows] = usualPull(follows);
        state.pulls[name] = usualPull(name);
        return;
      }
      delete state.pulls[name];
      for (const later of data.levers) if (later.follows === name) delete state.pulls[later.name];
    });
  }

  // Show what is chosen; `answers` for what the lever does.
  draw(answers, settled) {
    const pull = this.store.state.pulls[this.lever.name], key = JSON.stringify(pull ?? null);
    if (key !== this.key) this.show(pull);
    this.key = key;
    if (settled) this.settle(answers, Boolean(pull));
  }

  show(pull) {
    const {lever} = this, on = Boolean(pull);
    this.box.checked = on;
    this.root.classList.toggle("on", on);
    if (this.body.hidden === on) this.body.hidden = !on;
    if (on) {
      this.start.set(pull.start);
      this.chance.set(pull.chance);
      this.strength?.set(pull.strength ?? lever.strength.usual);
      this.strength?.root.classList.toggle("free", pull.strength === null);
      if (this.estimated) this.estimated.checked = pull.strength === null;
      if (this.variant) this.variant.value = pull.variant;
    }
  }

  settle(answers, on) {
    const {lever} = this, {controls} = words, {pulls, year} = this.store.state;
    const trial = {...pulls, [lever.name]: pulls[lever.name] ?? usualPull(lever.name)};
    if (lever.follows && !trial[lever.follows]) trial[lever.follows] = usualPull(lever.follows);
    const total = answers.alone(lever.name, trial).reduce((a, b) => a + b, 0);
    this.badge.textContent = fill(controls.alone, {amount: signed(total, Math.abs(total) < 9.95 ? 1 : 0)});
    this.badge.title = fill(controls.alone_title, {year});
    this.badge.classList.toggle("loss", total < 0);
    const title = (name) => leverOf.get(name).title;
    const notes = lever.follows ? [fill(controls.needs, {lever: title(lever.follows)})] : [];
    if (on) {
      for (const {partner, amount: both} of answers.together(lever.name)) {
        notes.push(fill(both < 0 ? controls.replaces : controls.helps,
          {lever: title(partner), amount: amount(Math.abs(both), 1)}));
      }
    }
    this.notes.replaceChildren(...notes.map((note) => element("p", {}, note)));
  }
}
