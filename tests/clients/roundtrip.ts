// Creates, reads, changes and finds a contact through types made from the API's description. Compiled with --strict, so that a
// wrong parameter or field is an error before the program runs.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { env: Record<string, string | undefined> };

const { CRM_URL, CRM_TOKEN } = process.env;
if (!CRM_URL || !CRM_TOKEN) throw new Error("CRM_URL and CRM_TOKEN are needed");

const api = createClient<paths>({
  baseUrl: CRM_URL,
  headers: { Authorization: `Bearer ${CRM_TOKEN}` },
  // Lists travel separated by commas.
  querySerializer: { array: { style: "form", explode: false } },
});

function good<T>(answer: { data?: T; error?: components["schemas"]["Problem"]; response: Response }): T {
  if (answer.error) throw new Error(`${answer.response.url}: ${answer.error.code}: ${answer.error.detail}`);
  if (answer.data === undefined) throw new Error(`${answer.response.url}: no body`);
  return answer.data;
}

function same(found: unknown, wanted: unknown, what: string): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
  }
}

const lastName = `Roundtrip ${Date.now()}`;

const account = good(await api.POST("/v1/accounts", { body: { name: "Acme Corp", industry: "saas" } }));
const created = await api.POST("/v1/contacts", {
  params: { header: { "Idempotency-Key": `ts-${Date.now()}` } },
  body: { first_name: "Ada", last_name: lastName, account_id: account.id, tags: ["typescript"] },
});
same(created.response.status, 201, "status of the create");
const contact = good(created);
const id = contact.id;

const read = good(await api.GET("/v1/contacts/{id}", { params: { path: { id }, query: { expand: ["account"] } } }));
same(read.display_name, `Ada ${lastName}`, "display name");
same(read.account?.name, "Acme Corp", "expanded account");

const changed = await api.PATCH("/v1/contacts/{id}", {
  params: { path: { id }, header: { "If-Match": created.response.headers.get("ETag") ?? "" } },
  body: { title: "Head of Purchasing", tags: null as never },
});
same(changed.response.status, 422, "status of a wrong change");
same(changed.error?.errors?.[0]?.pointer, "/tags", "place of the mistake");

const patched = good(
  await api.PATCH("/v1/contacts/{id}", {
    params: { path: { id }, header: { "If-Match": created.response.headers.get("ETag") ?? "" } },
    body: { title: "Head of Purchasing" },
  }),
);
same([patched.title, patched.version], ["Head of Purchasing", 2], "patched record");

const found = good(
  await api.POST("/v1/contacts/search", {
    body: { filter: { and: [{ field: "last_name", op: "eq", value: lastName }, { field: "account.industry", value: "saas" }] }, count: "exact" },
  }),
);
if (!("data" in found)) throw new Error("a plan instead of a page");
same([found.data.map((hit) => hit.id), found.page.count], [[id], 1], "search");

const listed = good(
  await api.GET("/v1/contacts", {
    params: { query: { "last_name[starts_with]": lastName, "created_at[within]": "P1D", sort: ["-created_at"], fields: ["display_name"], limit: 5 } },
  }),
);
same(listed.data, [{ object: "contacts", id, display_name: `Ada ${lastName}` }], "list");

const refused = await api.GET("/v1/contacts/{id}", { params: { path: { id: account.id } } });
same([refused.response.status, refused.error?.code], [404, "not_found"], "a record of another object");
console.log("ok");
