-- For wrk: take the request targets of the file $TARGETS in turn; $METHOD, $BODY and $TOKEN if they are set.
local requests, at = {}, 0

function init()
    local token = os.getenv("TOKEN")
    local headers = token and { Authorization = "Bearer " .. token, Host = wrk.headers["Host"] } or nil
    for line in io.lines(os.getenv("TARGETS")) do
        requests[#requests + 1] = wrk.format(os.getenv("METHOD") or "GET", line, headers, os.getenv("BODY"))
    end
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function done(summary, latency)
    local errors = summary.errors
    print(string.format("RESULT %d %d %d %d %d", summary.requests, summary.bytes, summary.duration,
        errors.status + errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(99)))
end
