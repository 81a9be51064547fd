-- Lets leases last LEASE_MS from now; ended ones stay ended.
-- ARGV: for each subject its request ids, as msgpack; the time, 0 for the server's.

local clock = read_clock(now_of(tonumber(ARGV[2])))
for i, ids in ipairs(cmsgpack.unpack(ARGV[1])) do
  local keys = keys_of(i)
  for _, id in ipairs(ids) do
    local ends = tonumber(redis.call("ZSCORE", keys.leases, id) or 0)
    if ends > clock.time then
      redis.call("ZADD", keys.leases, whole(clock.time + LEASE_MS), id)
    end
  end
end
return redis.status_reply("renewed")
