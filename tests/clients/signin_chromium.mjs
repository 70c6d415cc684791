// A person in a real browser: signs in and allows an app with the keyboard alone. Prints what was seen as JSON.
import { createServer } from "node:http";
import { chromium } from "playwright-core";

const { CHROMIUM, AUTHORIZE, CRM_EMAIL, CRM_PASSWORD, CALLBACK, DECISION } = process.env;
const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const app = createServer((request, response) => response.end("back at the app"));
await new Promise((ready) => app.listen(0, "127.0.0.1", ready));
// The port of a loopback address is free (RFC 8252 section 7.3).
const callback = CALLBACK.replace(":7777", `:${app.address().port}`);
const seen = { pages: [], complaints: [], landed: null };
try {
  const page = await browser.newPage();
  page.on("console", (message) => message.type() === "error" && seen.complaints.push(message.text()));
  page.on("pageerror", (error) => seen.complaints.push(String(error)));

  const look = async () => {
    const unnamed = await page.$$eval("input:not([type=hidden]), select, button", (all) =>
      all.filter((one) => !(one.labels?.length || one.textContent.trim() || one.getAttribute("aria-label"))).map((one) => one.outerHTML),
    );
    seen.pages.push({
      title: await page.title(),
      language: await page.getAttribute("html", "lang"),
      heading: await page.textContent("h1"),
      text: await page.innerText("main"),
      unnamed,
      styled: await page.evaluate(() => getComputedStyle(document.body).fontFamily),
      scripts: await page.locator("script").count(),
    });
  };
  const focusOn = async (locator) => {
    const wanted = await locator.elementHandle();
    for (let presses = 0; presses < 40; presses += 1) {
      if (await page.evaluate((element) => document.activeElement === element, wanted)) return;
      await page.keyboard.press("Tab");
    }
    throw new Error("the keyboard does not get there");
  };

  await page.goto(AUTHORIZE.replace(encodeURIComponent(CALLBACK), encodeURIComponent(callback)));
  await look();
  await focusOn(page.getByLabel("E-mail address"));
  await page.keyboard.type(CRM_EMAIL);
  await focusOn(page.getByLabel("Password"));
  await page.keyboard.type("not the password");
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
  await look();
  await focusOn(page.getByLabel("Password"));
  await page.keyboard.type(CRM_PASSWORD);
  await Promise.all([page.waitForURL("**/oauth/authorize**"), page.keyboard.press("Enter")]);
  await look();
  await focusOn(page.getByRole("button", { name: DECISION, exact: true }));
  await Promise.all([page.waitForURL(`${callback}**`), page.keyboard.press("Enter")]);
  seen.landed = page.url();
} finally {
  await browser.close();
  app.close();
}
console.log(JSON.stringify(seen));
