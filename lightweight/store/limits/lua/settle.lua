-- Ends what admit opened. An id that is not open changes nothing.
-- ARGV: the Settlement as msgpack; the time, 0 for the server's.

local settlement = cmsgpack.unpack(ARGV[1])
local closed = {}
for i = 1, #settlement.subjects do
  local keys = keys_of(i)
  local taken, purse = close(keys, settlement.id)
  if taken then
    table.insert(closed, { keys = keys, taken = taken, purse = purse })
  end
end
if #closed == 0 then
  return redis.status_reply("unknown")
end

local clock = read_clock(now_of(tonumber(ARGV[2])))
for _, each in ipairs(closed) do
  local keys, taken, purse = each.keys, each.taken, each.purse
  if purse then
    purse.tokens = purse.tokens + settlement.tokens
    purse.usd = purse.usd + settlement.micro_usd
    save_purse(keys, purse)
  end
  local window = load_window(keys.window, clock.second)
  local excess = settlement.tokens - taken.tokens
  if excess > 0 then
    count(window, clock.second, TOKENS, excess)
  else
    count(window, taken.second, TOKENS, excess)
  end
  if settlement.refund then
    count(window, taken.second, REQUESTS, -1)
  end
  save_window(keys.window, window)
end
return redis.status_reply("settled")
