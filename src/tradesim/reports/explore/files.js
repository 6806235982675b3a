// What a reader takes away: a scenario, a command, a link, a picture.

function save(name, type, content) {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], {type}));
  const link = element("a", {href: address, download: name});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

// Settings of a lever in use, by name, as a scenario has them.
function settingsOf(name, pull) {
  const lever = leverOf.get(name), settings = {...lever.variants[pull.variant].settings};
  settings.start = pull.start;
  settings.probability = Number(pull.chance.toPrecision(6));
  if (lever.strength && pull.strength !== null) {
    settings[lever.strength.key] = Number(pull.strength.toPrecision(6));
  }
  return settings;
}

function yamlOf(state) {
  const quoted = (text) => JSON.stringify(text);
  const plain = (value) => (typeof value === "number" ? String(value) : quoted(value));
  const lines = [`# ${fill(words.yaml.comment, {version: data.made.version, file: ["scenario.yaml", ...data.made.options].join(" ")})}`,
    `extends: ${quoted(data.base)}`, `title: ${quoted(words.yaml.title)}`,
    `draws: ${data.draws}`, `seed: ${data.seed}`, `target_usd: ${Math.round(state.target * 1e6)}`];
  if (typeof state.growth === "string") lines.push(`growth: ${state.growth}`);
  else {
    lines.push("growth:");
    for (const [code, rate] of Object.entries(state.growth)) lines.push(`  ${code}: ${rate}`);
  }
  const names = data.levers.map((lever) => lever.name).filter((name) => name in state.pulls);
  lines.push(names.length ? "levers:" : "levers: {}");
  for (const name of names) {
    lines.push(`  ${name}:`);
    for (const [key, value] of Object.entries(settingsOf(name, state.pulls[name]))) {
      lines.push(`    ${key}: ${plain(value)}`);
    }
  }
  return lines.join("\n") + "\n";
}

function commandOf(state) {
  const quote = (text) => (/^[\w.=:/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  const sets = [`draws=${data.draws}`, `seed=${data.seed}`, `target_usd=${Math.round(state.target * 1e6)}`];
  if (typeof state.growth === "string") sets.push(`growth=${state.growth}`);
  else for (const [code, rate] of Object.entries(state.growth)) sets.push(`growth.${code}=${rate}`);
  for (const {name} of data.levers) {
    if (!(name in state.pulls)) continue;
    for (const [key, value] of Object.entries(settingsOf(name, state.pulls[name]))) {
      sets.push(`${name}.${key}=${value}`);
    }
  }
  return [`tradesim run ${quote(data.base)}`, ...sets.map((set) => `--set ${quote(set)}`),
    ...data.made.options].join(" ");
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = element("textarea", {class: "hidden-copy"});
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

// Both fans with the sentence above them, styled by value so that the picture stands alone.
function picture(answer, charts) {
  const style = getComputedStyle(document.documentElement);
  const width = 1200, height = 560;
  const root = svg("svg", {xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${width} ${height}`, width, height,
    "font-family": "Noto Sans, DejaVu Sans, Verdana, sans-serif"});
  root.append(svg("rect", {width, height, fill: style.getPropertyValue("--paper")}));
  const ink = style.getPropertyValue("--ink"), quiet = style.getPropertyValue("--quiet");
  root.append(svg("text", {x: 30, y: 50, "font-size": 26, "font-weight": 700, fill: ink}, answer.headline),
    svg("text", {x: 30, y: 84, "font-size": 17, fill: quiet}, answer.more));
  charts.forEach(({fan, title}, place) => {
    const x = 20 + place * 590;
    root.append(svg("text", {x: x + 10, y: 132, "font-size": 17, "font-weight": 700, fill: ink}, title));
    const copy = fan.root.cloneNode(true);
    const theirs = [fan.root, ...fan.root.querySelectorAll("*")], mine = [copy, ...copy.querySelectorAll("*")];
    theirs.forEach((from, i) => {
      const look = getComputedStyle(from);
      for (const name of ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-size", "font-weight"]) {
        mine[i].setAttribute(name, look.getPropertyValue(name));
      }
      mine[i].removeAttribute("class");
    });
    for (const [name, value] of Object.entries({x, y: 142, width: 575, height: 339})) copy.setAttribute(name, value);
    root.append(copy);
  });
  const names = answer.chosen.length > 150 ? `${answer.chosen.slice(0, 149)}\u2026` : answer.chosen;
  root.append(svg("text", {x: 30, y: height - 50, "font-size": 14, fill: ink}, names),
    svg("text", {x: 30, y: height - 26, "font-size": 14, fill: quiet}, answer.foot));
  return new XMLSerializer().serializeToString(root);
}

function png(source) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => {
      const canvas = element("canvas", {width: 2 * image.width, height: 2 * image.height});
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob(resolve, "image/png");
    };
    image.onerror = reject;
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
  });
}
