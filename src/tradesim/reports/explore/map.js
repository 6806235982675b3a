// The map: what each route carries with and without the policies, drawn from outlines and ways.

const THIN = 1, THICK = 9, MOVED = 0.01;

class RouteMap {
  constructor(holder, key) {
    this.routes = data.map.routes;
    const rings = data.map.outlines.flatMap(({ours, rings: own}) => (ours ? own : [])).flat();
    const points = [...rings, ...this.routes.flatMap(({way}) => way ?? [])];
    const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
    const [left, top] = [Math.min(...xs) - 8, Math.min(...ys) - 8];
    this.width = 1.05 * (Math.max(...xs) - left);
    const height = Math.max(...ys) - top + 8;
    this.root = svg("svg", {viewBox: `${left} ${top} ${this.width} ${height}`, role: "img", class: "map"});
    this.unit = this.width / 640;
    const path = (line) => `M${line.map((point) => point.join(",")).join("L")}`;
    for (const {ours, rings: own} of data.map.outlines) {
      this.root.append(svg("path", {d: own.map((ring) => `${path(ring)}Z`).join(""), class: ours ? "ours" : "land"}));
    }
    this.ways = this.routes.map(({way}) => way && svg("path", {d: path(way), class: "way"}));
    this.root.append(...this.ways.filter((way) => way));
    for (const place of data.map.places) this.place(place);
    this.marks = this.routes.map(({way}, number) => way && this.mark(way, number + 1));
    holder.append(this.root);
    this.rows = this.routes.map(({title}, number) => {
      const amounts = element("b", {});
      key.append(element("li", {}, element("span", {class: "number"}, String(number + 1)), ` ${title}: `, amounts));
      return amounts;
    });
  }

  place({kind, side, title, at: [x, y]}) {
    const {unit} = this, shift = 6 * unit;
    if (kind === "country") {
      this.root.append(svg("text", {x, y, "text-anchor": "middle", class: "country", "font-size": 15 * unit}, title));
      return;
    }
    const [dx, dy, anchor] = {left: [-shift, 0.35, "end"], right: [shift, 0.35, "start"],
      above: [0, -0.7, "middle"], below: [0, 1.3, "middle"]}[side];
    this.root.append(svg("circle", {cx: x, cy: y, r: (kind === "capital" ? 4 : 2.6) * unit, class: `place ${kind}`}),
      svg("text", {x: x + dx, y, dy: `${dy}em`, "text-anchor": anchor, "font-size": 11 * unit, class: `town ${kind}`}, title));
  }

  mark(way, number) {
    const [x, y] = way[Math.floor(way.length * (0.3 + 0.1 * number) % (way.length - 1))];
    const label = svg("text", {x, y, dy: "0.35em", "text-anchor": "middle", "font-size": 10 * this.unit}, String(number));
    const mark = svg("g", {class: "mark"}, svg("circle", {cx: x, cy: y, r: 7.5 * this.unit}), label);
    this.root.append(mark);
    return mark;
  }

  // `loads` has what each route carries without and with the policies.
  draw(loads, settled) {
    const most = Math.max(...loads.flat());
    loads.forEach(([before, after], route) => {
      const moved = Math.abs(after - before) > MOVED * Math.max(before, 1e-9) ? Math.sign(after - before) : 0;
      const kind = {1: "more", 0: "same", [-1]: "less"}[moved], way = this.ways[route];
      if (way) {
        way.setAttribute("stroke-width", ((THIN + (THICK - THIN) * Math.max(after, 0) / most) * this.unit).toFixed(2));
        way.setAttribute("class", `way ${kind}`);
        this.marks[route].setAttribute("class", `mark ${kind}`);
      }
      const places = placesFor(before, after);
      put(this.rows[route], moved ? `${amount(before, places)} \u2192 ${amount(after, places)}` : amount(before, places));
      this.rows[route].className = kind;
    });
    if (settled) this.root.setAttribute("aria-label", this.routes.map(({title}, route) =>
      `${title}: ${this.rows[route].textContent}`).join("; "));
  }
}
