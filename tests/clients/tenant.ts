// Writes and finds values of an organisation's own fields and objects, by types made from its own OpenAPI document and by those
// of /v1/meta/types.ts. Compiled with --strict, so that a wrong choice or field is an error before the program runs.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";
import type { AnyRecordEvent, ContactCustomFields, List, Objects, VesselCreate, VesselRead } from "./types.js";

declare const process: { env: Record<string, string | undefined> };

const { CRM_URL, CRM_TOKEN } = process.env;
if (!CRM_URL || !CRM_TOKEN) throw new Error("CRM_URL and CRM_TOKEN are needed");
const headers = { Authorization: `Bearer ${CRM_TOKEN}`, "Content-Type": "application/json" };
const api = createClient<paths>({ baseUrl: CRM_URL, headers, querySerializer: { array: { style: "form", explode: false } } });

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

const mark = `ts${Date.now()}`;
const contact = good(
  await api.POST("/v1/contacts", { body: { last_name: mark, custom_fields: { tier: "gold", amount: "10.50" } } }),
);
const own: ContactCustomFields | undefined = contact.custom_fields;
const tier: "gold" | "silver" | null | undefined = own?.tier;
same([tier, own?.amount], ["gold", "10.5"], "custom fields");

const listed = good(
  await api.GET("/v1/contacts", {
    params: { query: { last_name: mark, "custom_fields.tier": "gold", "custom_fields.amount[gte]": "10" } },
  }),
);
same(listed.data.map((hit) => hit.id), [contact.id], "list by custom fields");

const wanted: VesselCreate = { imo: mark, name: "Emma", length: 397.7, flag: "dk", captain_id: contact.id };
const vessel = good(await api.POST("/v1/vessels", { body: wanted }));
same([vessel.imo, vessel.length, vessel.flag], [mark, 397.7, "dk"], "a record of an object of one's own");
const read = good(await api.GET("/v1/vessels/{id}", { params: { path: { id: vessel.id }, query: { expand: ["captain"] } } }));
same(read.captain?.last_name, mark, "expanded reference");

// The types of /v1/meta/types.ts need no library.
const page = (await (await fetch(`${CRM_URL}/v1/vessels?imo=${mark}`, { headers })).json()) as List<VesselRead>;
same(page.data.map((hit) => hit.name), ["Emma"], "list by types.ts");
const patch: Objects["vessels"]["update"] = { length: null };
same(good(await api.PATCH("/v1/vessels/{id}", { params: { path: { id: vessel.id } }, body: patch })).length, null, "patched");

function told(event: AnyRecordEvent): string {
  return event.object === "vessels" ? (event.record?.imo ?? "gone") : event.type;
}
const events = (await (await fetch(`${CRM_URL}/v1/events?object=vessels&record_id=${vessel.id}&cursor=oldest`, { headers })).json()) as {
  data: AnyRecordEvent[];
};
same(events.data.map(told), [mark, mark], "typed events");
console.log("ok");
