// Reading packed numbers, writing numbers and sentences, building elements. All text is set as text.

const data = JSON.parse(document.getElementById("data").textContent);
const words = data.words;

function unpack(packed) {
  const raw = atob(packed.b);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  const codes = new Int16Array(bytes.buffer);
  const values = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) values[i] = codes[i] * packed.s;
  return values;
}

function quantile(sorted, share) {
  const at = share * (sorted.length - 1), low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

function mean(values) {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

function grouped(text) {
  const [whole, rest] = text.split(".");
  const spaced = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, data.style.thousands) : whole;
  return rest === undefined ? spaced : spaced + data.style.point + rest;
}

function number(value, places) {
  const text = Math.abs(value).toFixed(places);
  return (value < 0 && Number(text) !== 0 ? "\u2212" : "") + grouped(text);
}

// Decimals that show the largest of several amounts with three significant digits.
function placesFor(...values) {
  const largest = Math.max(...values.map(Math.abs));
  return largest >= 100 || largest === 0 ? 0 : largest >= 10 ? 1 : 2;
}

const amount = (value, places = placesFor(value)) => number(value, places);

function signed(value, places = placesFor(value)) {
  const text = number(value, places);
  return value > 0 && Number(Math.abs(value).toFixed(places)) !== 0 ? "+" + text : text;
}

function percent(share) {
  const whole = Math.round(100 * share);
  if (whole < 1) return words.chances.least;
  return whole > 99 ? words.chances.most : fill(words.chances.percent, {number: whole});
}

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);

function element(tag, attributes = {}, ...children) {
  const made = tag.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4))
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === undefined || value === null) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// A sentence whose filled-in places are in bold.
function sentence(text, values) {
  return text.split(/(\{\w+\})/).filter((part) => part).map((part) => {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    return name && name in values ? element("b", {"data-name": name}, String(values[name])) : part;
  });
}

function put(part, text) {
  if (part.textContent !== text) part.textContent = text;
}

const byId = (id) => document.getElementById(id);
