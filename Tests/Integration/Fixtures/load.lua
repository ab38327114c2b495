-- A steady load for wrk: every connection waits about `PAUSE` ms between an answer and its next request, so that the
-- rate depends little on the answers' times. Each answer becomes a line of the file that the first argument names:
-- Unix seconds, status, revision.

local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long seconds; long microseconds; } moment;
  int gettimeofday(moment *, void *);
]]
local moment = ffi.new("moment")
local file, pause

function init(args)
  file = assert(io.open(args[1], "w"))
  file:setvbuf("line")
  pause = tonumber(args[2])
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.body = '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"data":[1]}]}'
end

function delay()
  return math.random(math.floor(pause * 0.5), math.floor(pause * 1.5))
end

function response(status, headers)
  ffi.C.gettimeofday(moment, nil)
  local time = tonumber(moment.seconds) + tonumber(moment.microseconds) / 1e6
  file:write(string.format("%.4f %d %s\n", time, status, headers["x-controller-revision"] or "-"))
end

function done(summary)
  local errors = summary.errors
  print(string.format("summary requests=%d status=%d connect=%d read=%d write=%d timeout=%d",
    summary.requests, errors.status, errors.connect, errors.read, errors.write, errors.timeout))
end
