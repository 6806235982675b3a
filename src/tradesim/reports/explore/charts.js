// Fans and bars as SVG; elements are made once, and only their numbers change while a handle moves.

const WIDTH = 420, HEIGHT = 290, MARGIN = {left: 48, right: 88, top: 12, bottom: 26};

function ticks(low, high, count = 5) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((one) => one * power >= rough) * power;
  const found = [];
  for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + 1e-9 * step; value += step) {
    found.push(Math.abs(value) < step / 1e6 ? 0 : value);
  }
  return {found, places: Math.max(0, -Math.floor(Math.log10(step) + 1e-9))};
}

const svg = (tag, attributes, ...children) => element(`svg:${tag}`, attributes, ...children);

class Fan {
  // `line` is the column drawn as a line: the median, or the mean.
  constructor(holder, {first, history = [], zero = false, line = 2}) {
    Object.assign(this, {first, history, zero, middle: line});
    this.years = data.years;
    this.range = null;
    this.root = svg("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "fan"});
    this.grid = svg("g", {class: "grid"});
    this.parts = Object.fromEntries(["outer", "inner", "without", "median", "aim", "now", "reported"]
      .map((name) => [name, svg("path", {class: name})]));
    this.dot = svg("circle", {class: "dot", r: 4.5});
    this.labels = Object.fromEntries(["median", "without", "target"]
      .map((name) => [name, svg("text", {class: `label ${name}`})]));
    this.root.append(this.grid, ...Object.values(this.parts), this.dot, ...Object.values(this.labels));
    holder.append(this.root);
  }

  x(year) {
    const last = this.years.at(-1), inside = WIDTH - MARGIN.left - MARGIN.right;
    return MARGIN.left + inside * (year - this.first) / (last - this.first);
  }

  y(value) {
    const [low, high] = this.range, inside = HEIGHT - MARGIN.top - MARGIN.bottom;
    return MARGIN.top + inside * (high - value) / (high - low);
  }

  // The scale grows at once, and shrinks only when the handle is let go: the picture keeps still.
  fit(values, settled) {
    let low = Math.min(0, ...values), high = Math.max(this.zero ? 0 : 1, ...values);
    if (high - low < 1) high = low + (this.zero ? 10 : 1);
    const room = 0.04 * (high - low);
    const wanted = [low < 0 ? low - room : 0, high + room];
    const fits = this.range && wanted[0] >= this.range[0] && wanted[1] <= this.range[1];
    const tight = this.range && wanted[1] - wanted[0] > 0.6 * (this.range[1] - this.range[0]);
    if (fits && (!settled || tight)) return;
    this.range = wanted;
    this.axes();
  }

  axes() {
    const {found, places} = ticks(...this.range, 5);
    const right = WIDTH - MARGIN.right, parts = [];
    for (const value of found) {
      const y = this.y(value).toFixed(1);
      parts.push(svg("line", {x1: MARGIN.left, x2: right, y1: y, y2: y, class: value === 0 ? "zero" : ""}),
        svg("text", {x: MARGIN.left - 7, y, dy: "0.32em", "text-anchor": "end"}, amount(value, places)));
    }
    const last = this.years.at(-1), step = last - this.first > 14 ? 5 : last - this.first > 7 ? 2 : 1;
    for (let year = this.first; year <= last; year++) {
      if ((last - year) % step) continue;
      parts.push(svg("text", {x: this.x(year).toFixed(1), y: HEIGHT - 8, "text-anchor": "middle"}, String(year)));
    }
    this.grid.replaceChildren(...parts);
    const points = this.history.map(([year, value]) => `${this.x(year).toFixed(1)},${this.y(value).toFixed(1)}`);
    this.parts.reported.setAttribute("d", points.length ? `M${points.join("L")}` : "");
  }

  line(values) {
    return "M" + values.map((value, t) => `${this.x(this.years[t]).toFixed(1)},${this.y(value).toFixed(1)}`).join("L");
  }

  band(low, high) {
    const back = high.map((value, t) => `${this.x(this.years[t]).toFixed(1)},${this.y(value).toFixed(1)}`);
    return `${this.line(low)}L${back.reverse().join("L")}Z`;
  }

  // `fan` has rows of quantiles by year; `reference` the medians without policies, if any.
  draw(fan, reference, year, target, texts, settled) {
    const column = (place) => fan.map((row) => row[place]);
    const shown = [...column(0), ...column(4), ...(target ? [target * 1.04] : []),
      ...this.history.map(([, value]) => value)];
    this.fit(shown, settled);
    this.parts.outer.setAttribute("d", this.band(column(0), column(4)));
    this.parts.inner.setAttribute("d", this.band(column(1), column(3)));
    this.parts.median.setAttribute("d", this.line(column(this.middle)));
    this.parts.without.setAttribute("d", reference ? this.line(reference) : "");
    const right = WIDTH - MARGIN.right, place = this.years.indexOf(year);
    this.parts.aim.setAttribute("d", target ? `M${MARGIN.left},${this.y(target).toFixed(1)}H${right}` : "");
    const x = this.x(year).toFixed(1);
    this.parts.now.setAttribute("d", `M${x},${MARGIN.top}V${HEIGHT - MARGIN.bottom}`);
    this.dot.setAttribute("cx", x);
    this.dot.setAttribute("cy", this.y(fan[place][this.middle]).toFixed(1));
    this.write({median: fan.at(-1)[this.middle], without: reference ? reference.at(-1) : null, target}, texts);
    if (settled) this.root.setAttribute("aria-label", texts.alt);
  }

  // Labels at the right end, kept apart.
  write(values, texts) {
    const rows = Object.entries(values).filter(([name, value]) => value !== null && texts[name])
      .map(([name, value]) => ({name, y: this.y(value)})).sort((a, b) => a.y - b.y);
    rows.forEach((row, i) => { if (i) row.y = Math.max(row.y, rows[i - 1].y + 15); });
    const over = rows.length ? rows.at(-1).y - (HEIGHT - MARGIN.bottom) : 0;
    for (const [name, label] of Object.entries(this.labels)) {
      const row = rows.find((one) => one.name === name);
      put(label, row ? texts[name] : "");
      if (!row) continue;
      label.setAttribute("x", WIDTH - MARGIN.right + 8);
      label.setAttribute("y", (row.y - Math.max(0, over)).toFixed(1));
      label.setAttribute("dy", "0.32em");
    }
  }
}

// Signed bars from a common zero, with whiskers where ranges are given.
class Bars {
  constructor(holder, titles, {describe}) {
    this.describe = describe;
    this.range = 0;
    this.rows = titles.map((title) => {
      const [bar, whisker, low, high] = ["bar", "whisker", "cap", "cap"].map((name) => element("span", {class: name}));
      const value = element("span", {class: "value"});
      const track = element("span", {class: "track", role: "img", "aria-label": title}, bar, whisker, low, high);
      const row = element("div", {class: "row"}, element("span", {class: "name"}, title), track, value);
      holder.append(row);
      return {title, row, bar, whisker, low, high, track, value};
    });
  }

  hide(unseen) {
    this.rows.forEach(({row}, place) => { row.hidden = unseen(place); });
  }

  draw(values, settled, most) {
    const largest = most ?? Math.max(1, ...values.flatMap(({mean: m, low, high}) =>
      [Math.abs(m), Math.abs(low ?? 0), Math.abs(high ?? 0)]));
    if (largest > this.range || settled) this.range = largest;
    const at = (value) => 50 + 48 * Math.max(-1, Math.min(1, value / this.range));
    const places = placesFor(this.range);
    values.forEach((value, place) => {
      const row = this.rows[place], zero = at(0), end = at(value.mean), ranged = value.low !== undefined;
      // Moved by transforms, so that the page need not be laid out again.
      const stretch = (part, from, to) => { part.style.transform = `translateX(${from}%) scaleX(${(to - from) / 100})`; };
      stretch(row.bar, Math.min(zero, end), Math.max(zero, end));
      row.bar.classList.toggle("loss", value.mean < 0);
      for (const part of [row.whisker, row.low, row.high]) part.hidden = !ranged;
      if (ranged) {
        stretch(row.whisker, at(value.low), at(value.high));
        row.low.style.transform = `translateX(${at(value.low)}%)`;
        row.high.style.transform = `translateX(${at(value.high)}%)`;
      }
      put(row.value, signed(value.mean, places));
      if (settled) row.track.setAttribute("aria-label", this.describe(row.title, value, places));
    });
  }
}
