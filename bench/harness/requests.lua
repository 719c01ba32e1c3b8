-- For wrk: one method over a list of paths in turn, a body for PUT, and the result in JSON.
-- Environment: BENCH_METHOD, BENCH_PATHS (a file, one path a line), BENCH_SIZE (bytes of a body).
-- One path only: no function `request`, so that wrk sends one ready-made request and stays cheap.
wrk.method = os.getenv("BENCH_METHOD")
if wrk.method == "PUT" then
  local bytes = {}
  for i = 1, tonumber(os.getenv("BENCH_SIZE")) do bytes[i] = string.char((i * 131) % 256) end
  wrk.body = table.concat(bytes)
end

local paths = {}
for path in io.lines(os.getenv("BENCH_PATHS")) do paths[#paths + 1] = path end
wrk.path = paths[1]

if #paths > 1 then
  local sent = 0
  function request()
    sent = sent + 1
    return wrk.format(nil, paths[(sent - 1) % #paths + 1])
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "p50_us": %d, "p99_us": %d, "errors": ' ..
    '{"connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
