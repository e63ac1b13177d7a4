-- For wrk: take the request targets of the file $TARGETS in turn.
local requests, at = {}, 0

function init()
    for line in io.lines(os.getenv("TARGETS")) do
        requests[#requests + 1] = wrk.format("GET", line)
    end
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function done(summary, latency)
    local errors = summary.errors
    print(string.format("RESULT %d %d %d %d", summary.requests, summary.bytes, summary.duration,
        errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
