// Checks requests that the API has sent with the libraries that receivers in Node.js use. Reads {secret, requests} and says what each makes
// of every request, and of the same with another body.
import { readFileSync } from "node:fs";
import { Webhook as Standard } from "standardwebhooks";
import { Webhook as Svix } from "svix";

const { secret, requests } = JSON.parse(readFileSync(process.argv[2], "utf8"));

function accepted(Webhook, headers, body) {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
}

const said = requests.map(({ headers, body }) => ({
  standardwebhooks: [accepted(Standard, headers, body), accepted(Standard, headers, body + " ")],
  svix: [accepted(Svix, headers, body), accepted(Svix, headers, body + " ")],
}));
process.stdout.write(JSON.stringify(said));
