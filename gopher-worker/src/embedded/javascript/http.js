// The module `http`: requests that wait for their answer.
(function (native) {
  "use strict";

  function isObject(value) {
    return typeof value === "object" && value !== null;
  }

  /** Pairs of texts; a list stands for its name several times. */
  function pairs(options, name) {
    const given = options[name];
    if (given == null) return [];
    if (!isObject(given)) throw new TypeError(`http: \`${name}\` must be an object`);
    const all = Object.entries(given).flatMap(([key, value]) => [value].flat().map((one) => [key, one]));
    return all.filter(([, value]) => value != null).map(([key, value]) => [key, String(value)]);
  }

  function query(options) {
    if (options.query == null) return null;
    if (typeof options.query === "string") return options.query.replace(/^\?/, "");
    return pairs(options, "query").map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
  }

  /** Seconds, or null for as long as it takes. */
  function seconds({ timeout, timeoutMs }) {
    if (timeout == null && timeoutMs == null) return null;
    const given = timeoutMs != null ? Number(timeoutMs) / 1000 : timeout;
    const time = typeof given === "string" ? (native.seconds(given) ?? (/^0[a-zµ]*$/.test(given) ? 0 : NaN)) : given;
    if (typeof time !== "number" || !(time >= 0)) {
      throw new TypeError(`http: the timeout ${JSON.stringify(timeoutMs ?? timeout)} is neither a number nor a text like "30s"`);
    }
    return time;
  }

  /** The body and the kind of content that it is. */
  function content({ body, form }) {
    if (body == null) return form == null ? [null, null] : [String(form), "form"];
    if (typeof body === "string") return [body, null];
    if (body instanceof ArrayBuffer) return [Array.from(new Uint8Array(body)), null];
    if (ArrayBuffer.isView(body)) {
      return [Array.from(new Uint8Array(body.buffer, body.byteOffset, body.byteLength)), null];
    }
    return [JSON.stringify(body), "json"];
  }

  function json(type, body) {
    const kind = (type ?? "").split(";")[0].trim().toLowerCase();
    if (kind !== "application/json" && !kind.endsWith("+json")) return null;
    try {
      return JSON.parse(body);
    } catch {
      return null;
    }
  }

  function request(method, url, options) {
    if (typeof method !== "string") throw new TypeError("http: the method must be a text");
    if (typeof url !== "string") throw new TypeError("http: the URL must be a text");
    options ??= {};
    if (!isObject(options)) throw new TypeError("http: the options must be an object");
    const [body, kind] = content(options);
    const asked = {
      method,
      url,
      query: query(options),
      headers: pairs(options, "headers"),
      cookies: pairs(options, "cookies"),
      content: kind,
      seconds: seconds(options),
      auth: options.auth == null ? null : [String(options.auth.user ?? ""), String(options.auth.pass ?? "")],
    };
    const response = native.send(asked, body);
    const headers = {};
    for (const [name, value] of response.headers) {
      headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${value}` : value;
    }
    const { statusCode } = response;
    const ok = statusCode >= 200 && statusCode < 400;
    return { ...response, headers, ok, json: json(headers["content-type"], response.body) };
  }

  /** One after the other: the responses, and with them the errors if there are any. */
  function requestBatch(requests) {
    if (!Array.isArray(requests)) throw new TypeError("http: the requests must be a list");
    const [responses, errors] = [[], []];
    for (const one of requests) {
      try {
        const [method, url, options] = Array.isArray(one) ? one : [one.method, one.url, one.options];
        responses.push(request(method, url, options));
        errors.push(null);
      } catch (error) {
        responses.push(null);
        errors.push(error);
      }
    }
    return errors.some((error) => error !== null) ? [responses, errors] : responses;
  }

  const http = { request, requestBatch, request_batch: requestBatch };
  for (const method of ["get", "delete", "head", "patch", "post", "put"]) {
    http[method] = (url, options) => request(method, url, options);
  }
  return http;
});
