// A page of another origin in a real browser that follows the stream with EventSource. Prints what it saw as JSON.
import { createServer } from "node:http";
import { createRequire } from "node:module";

const { CHROMIUM, MODULES, BASE, TOKEN, TICKET } = process.env;
const { chromium } = createRequire(`${MODULES}/`)("playwright-core");
const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const site = createServer((request, response) => {
  response.setHeader("content-type", "text/html");
  response.end("<!doctype html><title>A page of somebody else</title>");
});
await new Promise((ready) => site.listen(0, "127.0.0.1", ready));

const make = async (name) => {
  const answer = await fetch(`${BASE}/v1/accounts`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
};

try {
  const page = await browser.newPage();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`http://localhost:${site.address().port}/`);
  await make("before it was opened");
  await page.evaluate((url) => {
    window.seen = { names: [], ready: 0, ends: [], errors: 0, ids: [] };
    window.source = new EventSource(url);
    window.source.addEventListener("ready", () => (window.seen.ready += 1));
    window.source.addEventListener("end", (event) => window.seen.ends.push(JSON.parse(event.data).reason));
    window.source.onmessage = (event) => {
      window.seen.names.push(JSON.parse(event.data).record.name);
      window.seen.ids.push(event.lastEventId);
    };
    window.source.onerror = () => (window.seen.errors += 1);
  }, TICKET);
  const until = (condition) => page.waitForFunction(condition, undefined, { timeout: 20000, polling: 50 });
  await until("window.seen.ready === 1 && window.seen.names.length === 1");
  await make("while it was there");
  await until("window.seen.names.length === 2");
  // the server ends the stream; the browser comes back by itself and has missed nothing
  process.stdout.write("end\n");
  await until("window.seen.ends.length === 1");
  await make("while it was away");
  process.stdout.write("go on\n");
  await until("window.seen.ready === 2 && window.seen.names.length === 3");
  await make("after it came back");
  await until("window.seen.names.length === 4");
  const seen = await page.evaluate(() => ({ ...window.seen, state: window.source.readyState, origin: location.origin }));
  process.stdout.write(`${JSON.stringify({ ...seen, complaints })}\n`);
} finally {
  await browser.close();
  site.close();
}
