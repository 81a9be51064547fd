-- Takes the ledger's word: amounts rise to it and never fall.
-- ARGV: for each subject {prepaid, used = {Used …}, recent = {Recent …}} as msgpack;
-- the time, 0 for the server's. ``prepaid`` says which purse the subject has from now.

local clock = read_clock(now_of(tonumber(ARGV[2])))

local function raise(keys, used)
  local purse = load_purse(keys.quota, used.month == 0)
  if not purse or used.month > purse.month then
    purse = new_purse(used.month, true)
  end
  purse.told = true
  if used.month == purse.month then
    purse.tokens = math.max(purse.tokens, used.tokens)
    purse.usd = math.max(purse.usd, used.micro_usd)
  end
  save_purse(keys, purse)
end

for i, told in ipairs(cmsgpack.unpack(ARGV[1])) do
  local keys = keys_of(i)
  for _, used in ipairs(told.used) do
    raise(keys, used)
  end
  -- Whoever the ledger does not name used nothing.
  raise(keys, { month = told.prepaid and 0 or month_of(clock.now),
                tokens = 0, micro_usd = 0 })
  local window = load_window(keys.window, clock.second)
  for _, recent in ipairs(told.recent) do
    for second, requests in pairs(recent.requests) do
      if second <= clock.second and second > clock.second - KEPT then
        local more = requests - counted(window, second, REQUESTS)
        count(window, second, REQUESTS, math.max(0, more))
      end
    end
  end
  save_window(keys.window, window)
end
return redis.status_reply("raised")
