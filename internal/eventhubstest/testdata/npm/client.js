// Usage: client.js send|receive CONNECTION_STRING HUB PARTITION COUNT
// send writes the bodies {"n":0}, {"n":1}, … as one batch; receive prints the bodies of so many events, one a line.
"use strict";
const { EventHubProducerClient, EventHubConsumerClient, earliestEventPosition } = require("@azure/event-hubs");
const [action, connection, hub, partition, count] = process.argv.slice(2);

async function send() {
  const client = new EventHubProducerClient(connection, hub);
  const batch = await client.createBatch({ partitionId: partition });
  for (let n = 0; n < Number(count); n++) {
    if (!batch.tryAdd({ body: { n }, properties: { n } })) throw new Error("the batch is full");
  }
  await client.sendBatch(batch);
  await client.close();
}

async function receive() {
  const client = new EventHubConsumerClient("$Default", connection, hub);
  const properties = await client.getPartitionProperties(partition);
  if (properties.lastEnqueuedSequenceNumber !== Number(count) - 1) throw new Error("the last sequence number is " + properties.lastEnqueuedSequenceNumber);
  const bodies = [];
  await new Promise((resolve, reject) => {
    client.subscribe(partition, {
      processEvents: async (events) => {
        for (const e of events) bodies.push(Buffer.isBuffer(e.body) ? e.body.toString() : JSON.stringify(e.body));
        if (bodies.length >= Number(count)) resolve();
      },
      processError: async (err) => reject(err),
    }, { startPosition: earliestEventPosition });
  });
  await client.close();
  process.stdout.write(bodies.join("\n") + "\n");
}

(action === "send" ? send() : receive()).catch((err) => {
  console.error(err);
  process.exit(1);
});
