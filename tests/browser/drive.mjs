// Drives a real Chromium over a plan and tells what it saw: reads {chromium, visits: [...]} as JSON from
// standard input, writes one report for each visit as JSON to standard output. The judging is
// browser_test.py's. A visit: {url, dark, scripts, follow: [link names], download: bool, screenshot, width}.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const plan = JSON.parse(readFileSync(0, 'utf8'));
const LIMIT_MS = 30000;

// What the page holds, read from its own document.
function look() {
  const text = (element) => (element ? element.textContent : null);
  const rows = [...document.querySelectorAll('tbody tr')].map((row) => {
    const link = row.querySelector('th a');
    return {
      name: text(row.querySelector('th bdi')),
      label: text(row.querySelector('th')),
      href: link && link.getAttribute('href'),
      download: Boolean(link && link.hasAttribute('download')),
      scope: row.querySelector('th') && row.querySelector('th').getAttribute('scope'),
      size: text(row.querySelector('td.size')),
      bytes: row.querySelector('data') && row.querySelector('data').value,
      time: row.querySelector('time') && row.querySelector('time').getAttribute('datetime'),
    };
  });
  const style = getComputedStyle(document.body);
  return {
    title: document.title,
    language: document.documentElement.lang,
    caption: text(document.querySelector('caption')),
    empty: text(document.querySelector('.empty')),
    columns: [...document.querySelectorAll('thead th[scope=col]')].map(text),
    crumbs: [...document.querySelectorAll('nav[aria-label=Path] li')].map(text),
    here: text(document.querySelector('h1[aria-current=page]')),
    pages: [...document.querySelectorAll('nav[aria-label=Pages] a')].map(text),
    footer: text(document.querySelector('footer code')),
    links: [...document.querySelectorAll('a')].map((a) => a.getAttribute('href')),
    elements: [...new Set([...document.querySelectorAll('body *')].map((e) => e.localName))],
    background: style.backgroundColor,
    color: style.color,
    overflows: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    rows,
  };
}

// Each from a tab of its own: Chromium asks before it takes an eleventh download from one tab.
async function fetchAll(page) {
  const downloads = {};
  const count = await page.locator('tbody a[download]').count();
  for (let i = 0; i < count; ++i) {
    const tab = await page.context().newPage();
    await tab.goto(page.url());
    const link = tab.locator('tbody a[download]').nth(i);
    const label = await link.locator('bdi').textContent();
    const [download] = await Promise.all([
      tab.waitForEvent('download', { timeout: LIMIT_MS }), link.click()]);
    const bytes = readFileSync(await download.path());
    downloads[label] = {
      file: download.suggestedFilename(), sha256: createHash('sha256').update(bytes).digest('hex') };
    await tab.close();
  }
  return downloads;
}

// How many different links Tab reaches, and whether each shows that it has the focus.
async function tabThrough(page, most) {
  const seen = [];
  for (let i = 0; i < most; ++i) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      const style = getComputedStyle(element);
      return { href: element.getAttribute('href'), outline: style.outlineStyle + style.outlineWidth };
    });
    if (at.href === null) break;
    seen.push(at);
  }
  return seen;
}

async function visit(browser, wanted) {
  const context = await browser.newContext({
    colorScheme: wanted.dark ? 'dark' : 'light', javaScriptEnabled: wanted.scripts !== false,
    acceptDownloads: true, ignoreHTTPSErrors: false,
    viewport: { width: wanted.width || 1100, height: 760 } });
  const page = await context.newPage();
  const requests = [];
  const problems = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => problems.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => problems.push(`script: ${error.message}`));
  page.on('dialog', (dialog) => { problems.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  let answer = await page.goto(wanted.url, { timeout: LIMIT_MS });
  for (const name of wanted.follow || []) {
    [answer] = await Promise.all([
      page.waitForNavigation({ timeout: LIMIT_MS }),
      page.locator('a', { hasText: name }).first().click()]);
  }
  const report = { status: answer.status(), headers: answer.headers(), url: page.url(),
    ...(await page.evaluate(look)) };
  if (wanted.screenshot) await page.screenshot({ path: wanted.screenshot, fullPage: Boolean(wanted.full) });
  if (wanted.tabs) report.tabs = await tabThrough(page, wanted.tabs);
  if (wanted.download) report.downloads = await fetchAll(page);
  await context.close();
  return { ...report, requests, problems };
}

const browser = await chromium.launch({ executablePath: plan.chromium, args: plan.arguments });
const reports = [];
try {
  for (const wanted of plan.visits) reports.push(await visit(browser, wanted));
} finally {
  await browser.close();
}
process.stdout.write(JSON.stringify(reports));
