// Set one attribute on every span, data point and log record.

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";

import { KeyValueSchema, requests } from "./otlp.js";

const config = { key: "deployment.environment.name", value: "production" };

export const lifecycle = {
  start(given) {
    // A string that is thrown here is what is wrong with the configuration.
    for (const [key, value] of Object.entries(JSON.parse(given))) {
      if (!Object.hasOwn(config, key)) {
        throw `config.${key}: unknown key; known are ${Object.keys(config).join(", ")}`;
      }
      const types = key === "key" ? ["string"] : ["string", "boolean", "number"];
      if (!types.includes(typeof value)) {
        throw `config.${key}: expected a ${types.join(" or ")}, got ${JSON.stringify(value)}`;
      }
      config[key] = value;
    }
    return { traces: true, metrics: true, logs: true };
  },
  tick() {},
  stop() {},
};

export const processing = {
  process(signal, payload) {
    const schema = requests[signal];
    let request;
    try {
      request = fromBinary(schema, payload);
    } catch (error) {
      // An Error would end the instance; a failure of the contract, thrown, refuses the batch.
      throw { tag: "permanent", val: `the payload is no ${schema.name}: ${error.message}` };
    }
    let isChanged = false;
    for (const item of items[signal](request)) {
      setAttribute(item.attributes, config.key, config.value);
      isChanged = true;
    }
    // Fields that otlp.js does not know yet are kept.
    return isChanged ? { tag: "replace", val: toBinary(schema, request) } : { tag: "pass" };
  },
};

const items = {
  *traces({ resourceSpans }) {
    for (const { scopeSpans } of resourceSpans) {
      for (const { spans } of scopeSpans) {
        yield* spans;
      }
    }
  },
  *metrics({ resourceMetrics }) {
    for (const { scopeMetrics } of resourceMetrics) {
      for (const { metrics } of scopeMetrics) {
        for (const { data } of metrics) {
          // A gauge, a sum, a histogram…, or none.
          yield* data.value?.dataPoints ?? [];
        }
      }
    }
  },
  *logs({ resourceLogs }) {
    for (const { scopeLogs } of resourceLogs) {
      for (const { logRecords } of scopeLogs) {
        yield* logRecords;
      }
    }
  },
};

function setAttribute(attributes, key, value) {
  const pair = create(KeyValueSchema, { key, value: { value: typed(value) } });
  const index = attributes.findIndex((each) => each.key === key);
  if (index < 0) {
    attributes.push(pair);
  } else {
    attributes[index] = pair;
  }
}

function typed(value) {
  switch (typeof value) {
    case "string":
      return { case: "stringValue", value };
    case "boolean":
      return { case: "boolValue", value };
    default:
      // JavaScript does not tell 1 from 1.0.
      return Number.isSafeInteger(value)
        ? { case: "intValue", value: BigInt(value) }
        : { case: "doubleValue", value };
  }
}
