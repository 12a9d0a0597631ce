// SPDX-License-Identifier: Apache-2.0
// The page: draws each picture that the server pushes. No state of its own but the filter.

const byId = (id) => document.getElementById(id);
const STALE_MS = 2000;
const HISTORY = 480;
const OPEN = new Set(["PENDING_NEW", "NEW", "PARTIALLY_FILLED", "PENDING_CANCEL", "PENDING_REPLACE"]);
const history = [];
let picture = null;
let heardMs = 0;

const time = (ms) => new Date(ms).toISOString().slice(11, 23);
const ms = (us) => (us === null || us === undefined ? "" : (us / 1000).toFixed(2));
const short = (text, length) => (text === null ? "" : String(text).slice(0, length));

// columns: [title, cell text, class or function of row]
function draw(id, columns, rows, nothing) {
  const head = columns.map(([title, , kind]) => element("th", title, kind === "n" ? "n" : ""));
  const lines = rows.map((row) => {
    const cells = columns.map(([, text, kind]) =>
      element("td", text(row), typeof kind === "function" ? kind(row) : kind || ""));
    return parent("tr", cells);
  });
  if (!lines.length) {
    const cell = element("td", nothing, "dim");
    cell.colSpan = columns.length;
    lines.push(parent("tr", [cell]));
  }
  byId(id).replaceChildren(parent("thead", [parent("tr", head)]), parent("tbody", lines));
}

function element(tag, text, kind) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function parent(tag, children) {
  const made = document.createElement(tag);
  made.append(...children);
  return made;
}

const sideClass = (row) => row.side;
const statusClass = (row) =>
  ({ FILLED: "good", REJECTED: "bad", DENIED: "bad", EXPIRED: "warn", CANCELED: "dim" })[row.status] || "";

function drawOrders() {
  const wanted = byId("filter").value.trim().toLowerCase();
  const openOnly = byId("open-only").checked;
  const rows = picture.orders.filter((row) =>
    (!openOnly || OPEN.has(row.status)) &&
    (!wanted || `${row.account} ${row.cl_ord_id} ${row.symbol} ${row.side} ${row.status} ${row.reason}`
      .toLowerCase().includes(wanted)));
  byId("orders-count").textContent = `${rows.length} of the newest ${picture.orders.length}`;
  draw("orders", [
    ["time", (r) => time(r.time_ms), "dim"], ["account", (r) => r.account], ["order", (r) => r.cl_ord_id],
    ["symbol", (r) => r.symbol], ["side", (r) => r.side, sideClass], ["type", (r) => `${r.type} ${r.tif}`, "dim"],
    ["quantity", (r) => r.qty, "n"], ["price", (r) => r.price, "n"], ["done", (r) => r.cum, "n"],
    ["left", (r) => r.leaves, "n"], ["status", (r) => r.status + (r.reason ? ` ${r.reason}` : ""), statusClass],
  ], rows, "no orders yet");
}

function drawFigures() {
  const counts = picture.counts;
  const quote = picture.quotes[0];
  const figures = [
    ["bid", quote ? quote.bid : "no quote"], ["ask", quote ? quote.ask : "no quote"],
    ["orders/s", picture.orders_per_s.toFixed(1)], ["accepted", counts.PENDING_NEW || 0],
    ["fills", counts.TRADE || 0], ["canceled", counts.CANCELED || 0],
    ["replaced", counts.REPLACED || 0], ["denied", counts.DENIED || 0],
  ];
  byId("figures").replaceChildren(...figures.map(([name, value]) =>
    parent("div", [element("dt", name), element("dd", String(value))])));
}

function drawShards() {
  const replicas = picture.beats.filter((beat) => beat.service === "oms");
  draw("shards", [
    ["shard", (r) => r.shard], ["replica", (r) => r.instance],
    ["role", (r) => r.role, (r) => (r.role === "leader" ? "good" : "dim")],
    ["entries", (r) => r.seq, "n"], ["outputs", (r) => r.ordinal, "n"],
    ["live", (r) => r.live_orders, "n"], ["chain", (r) => short(r.chain, 8), "dim"],
  ], replicas, "no replica speaks");
}

function drawLatency() {
  const gateway = picture.beats.find((beat) => beat.service === "gateway") || {};
  const venue = picture.beats.find((beat) => beat.service === "venue") || {};
  const hops = [["durable", gateway.durable_ack_us], ["accepted", gateway.accepted_us],
    ["to the wire", (venue.shards || [])[0] && venue.shards[0].sent_us]].filter(([, figures]) => figures);
  draw("latency", [["hop", ([hop]) => hop], ["p50", ([, f]) => ms(f.p50), "n"], ["p99", ([, f]) => ms(f.p99), "n"]],
    hops, "nothing measured yet");
  const accepted = gateway.accepted_us ? gateway.accepted_us.p50 : null;
  if (accepted !== null && accepted !== undefined) history.push(accepted / 1000);
  if (history.length > HISTORY) history.shift();
  const top = Math.max(1, ...history);
  const points = history.map((value, place) =>
    `${(place / (HISTORY - 1)) * 240},${46 - (value / top) * 44}`).join(" ");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  line.setAttribute("points", points);
  byId("spark").replaceChildren(line);
  byId("spark-label").textContent = history.length ? `${history.at(-1).toFixed(2)} ms, scale to ${top.toFixed(1)} ms` : "none yet";
}

function drawPositions() {
  const profit = (key) => (row) => (row[key] && row[key].startsWith("-") ? "n bad" : "n good");
  draw("positions", [
    ["account", (r) => r.account], ["symbol", (r) => r.symbol], ["quantity", (r) => r.qty, "n"],
    ["average", (r) => short(r.avg_px, 10), "n"], ["realised", (r) => short(r.realised, 10), profit("realised")],
    ["unrealised", (r) => short(r.unrealised, 10), profit("unrealised")],
  ], picture.positions, "no positions yet");
}

function drawFills() {
  draw("fills", [
    ["time", (r) => time(r.time_ms), "dim"], ["account", (r) => r.account], ["side", (r) => r.side, sideClass],
    ["quantity", (r) => r.last_qty, "n"], ["price", (r) => r.last_px, "n"],
  ], picture.fills, "no fills yet");
}

function drawProcesses() {
  const beats = new Map(picture.beats.map((beat) => [beat.instance, beat]));
  const rows = picture.processes.filter((row) => row.phase !== "done").map((row) => ({ ...row, beat: beats.get(row.name) }));
  draw("processes", [
    ["process", (r) => r.name], ["phase", (r) => r.phase, (r) => (r.phase === "ready" ? "good" : "bad")],
    ["role", (r) => (r.beat && r.beat.role) || "", "dim"], ["pid", (r) => r.pid, "n"],
    ["restarts", (r) => r.restarts || "", "n"],
    ["beat", (r) => (r.beat ? `${r.beat.age_ms} ms` : ""), (r) => (r.beat && r.beat.age_ms > STALE_MS ? "n bad" : "n dim")],
  ], rows, "no orchestrator speaks");
}

function drawAlerts() {
  draw("alerts", [
    ["raised", (r) => time(r.raised_ms), "dim"], ["control", (r) => r.control], ["scope", (r) => r.scope],
    ["owner", (r) => r.owner, (r) => (r.is_escalated ? "bad" : "")], ["what", (r) => r.text],
    ["alert", (r) => r.alert_id, "dim"],
  ], picture.alerts, "none that nobody has taken");
}

function drawBanner() {
  const banner = byId("banner");
  banner.hidden = !picture.states.length;
  banner.textContent = picture.states.map((s) => `${s.scope} is ${s.state} (${s.actor}: ${s.reason})`).join("   ");
}

function drawAll() {
  drawFigures(); drawBanner(); drawOrders(); drawShards(); drawLatency(); drawPositions(); drawFills(); drawProcesses(); drawAlerts();
}

function drawLink() {
  const isLive = picture !== null && performance.now() - heardMs < STALE_MS;
  const link = byId("link");
  const text = isLive ? "live" : picture === null ? "connecting" : "no data";
  if (link.textContent !== text) link.textContent = text;
  link.className = isLive ? "live" : picture === null ? "" : "lost";
  document.body.classList.toggle("stale", picture !== null && !isLive);
}

function connect() {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1/live`);
  socket.onmessage = (message) => {
    picture = JSON.parse(message.data);
    heardMs = performance.now();
    drawAll();
    drawLink();
  };
  socket.onclose = () => setTimeout(connect, 500 + Math.random() * 500);
}

byId("filter").addEventListener("input", () => picture && drawOrders());
byId("open-only").addEventListener("change", () => picture && drawOrders());
setInterval(drawLink, 250);
connect();
