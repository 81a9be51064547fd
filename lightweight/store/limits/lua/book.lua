-- What every script begins with: the arithmetic of policy/book.py, over keys of Redis.
-- Times are whole milliseconds; numbers stay below 2^53, where Lua's are exact.

local SPAN_MS = 60000
local KEPT = 61            -- seconds that count, the running one among them
local WINDOW_MS = 62000    -- nothing in a window counts any longer than that
local LEASE_MS = 30000
local GIVE_UP_MS = 600000  -- after its lease ended, a reservation is nobody's
local KEEP_MS = 40 * 86400000  -- all but windows: longer than a month

local CLOCK = KEYS[1]

-- Keys come in fours, one four for each subject.
local function keys_of(i)
  local at = 4 * i - 2
  return { window = KEYS[at], open = KEYS[at + 1],
           leases = KEYS[at + 2], quota = KEYS[at + 3] }
end

-- Lua would write a large number as 1e+15.
local function whole(number)
  return string.format("%.0f", number)
end

-- ``given``: 0, or what a test takes for the time.
local function now_of(given)
  if given ~= 0 then
    return given
  end
  local time = redis.call("TIME")
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The account's clock, as policy/window.py has it.
local function read_clock(now)
  local packed = redis.call("GET", CLOCK)
  local time, ahead = now, 0
  if packed then
    time, ahead = unpack(cmsgpack.unpack(packed))
  end
  if now + ahead < time - SPAN_MS then
    ahead = time - now
  elseif now + ahead > time then
    time = now + ahead
  end
  redis.call("SET", CLOCK, cmsgpack.pack({ time, ahead }), "PX", KEEP_MS)
  return { now = now, time = time, ahead = ahead, second = math.floor(time / 1000) }
end

-- A calendar month, UTC, as policy/period.py numbers them.
local function month_of(now)
  local days = math.floor(now / 86400000) + 719468
  local era = math.floor(days / 146097)
  local day = days % 146097
  local year = math.floor((day - math.floor(day / 1460) + math.floor(day / 36524)
    - math.floor(day / 146096)) / 365)
  day = day - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  return (400 * era + year) * 12 + math.floor((5 * day + 2) / 153) + 2
end

local function start_of(month)
  local year, since_march = math.floor((month - 2) / 12), (month - 2) % 12
  local days = 365 * year + math.floor(year / 4) - math.floor(year / 100)
    + math.floor(year / 400)
  return (days + math.floor((153 * since_march + 2) / 5) - 719468) * 86400000
end

-- A window is one string, a flat array: second, requests, tokens; the next second …,
-- the oldest first, and no second without either. REQUESTS and TOKENS are where an
-- amount stands behind its second, and its total in what load_window gives.
local REQUESTS, TOKENS = 1, 2

local function load_window(key, second)
  local packed = redis.call("GET", key)
  local all = packed and cmsgpack.unpack(packed) or {}
  local window, first = { 0, 0, all = all }, 1
  while all[first] and all[first] <= second - KEPT do
    first = first + 3
  end
  if first > 1 then
    window.all = { unpack(all, first) }
  end
  for i = first, #all, 3 do
    window[REQUESTS] = window[REQUESTS] + all[i + REQUESTS]
    window[TOKENS] = window[TOKENS] + all[i + TOKENS]
  end
  return window
end

local function save_window(key, window)
  if #window.all == 0 then
    redis.call("DEL", key)
  else
    redis.call("SET", key, cmsgpack.pack(window.all), "PX", WINDOW_MS)
  end
end

-- Counts ``amount`` in a second; less than nothing never stays there.
local function count(window, second, what, amount)
  local all = window.all
  local at = #all - 2
  while at > 0 and all[at] > second do
    at = at - 3
  end
  if at < 1 or all[at] ~= second then
    if amount <= 0 then
      return
    end
    at = at + 3
    for _ = 1, 3 do
      table.insert(all, at, 0)
    end
    all[at] = second
  end
  amount = math.max(amount, -all[at + what])
  all[at + what] = all[at + what] + amount
  window[what] = window[what] + amount
  if all[at + REQUESTS] == 0 and all[at + TOKENS] == 0 then
    for _ = 1, 3 do
      table.remove(all, at)
    end
  end
end

-- Gives what is counted in a second.
local function counted(window, second, what)
  for at = 1, #window.all, 3 do
    if window.all[at] == second then
      return window.all[at + what]
    end
  end
  return 0
end

-- Gives the time at which ``amount`` will have left.
local function frees(window, what, amount)
  for at = 1, #window.all, 3 do
    amount = amount - window.all[at + what]
    if amount <= 0 then
      return (window.all[at] + KEPT) * 1000
    end
  end
end

-- Gives the time at which all will have left; nil: it has.
local function empty(window, what)
  for at = #window.all - 2, 1, -3 do
    if window.all[at + what] > 0 then
      return (window.all[at] + KEPT) * 1000
    end
  end
end

-- The quota's hash has two purses, the month's and the prepaid one, whose month is 0.
-- A purse says of tokens and of micro-USD what is used and reserved. It is told once
-- the ledger said what was used: before, after a flush, it knows only a part.
local function field(prepaid)
  return prepaid and "prepaid" or "month"
end

local function new_purse(month, told)
  return { month = month, told = told, tokens = 0, tokens_reserved = 0,
           usd = 0, usd_reserved = 0 }
end

-- nil: there is none.
local function load_purse(key, prepaid)
  local packed = redis.call("HGET", key, field(prepaid))
  return packed and cmsgpack.unpack(packed) or nil
end

local function save_purse(keys, purse)
  redis.call("HSET", keys.quota, field(purse.month == 0), cmsgpack.pack(purse))
  -- What a purse reserves must not outlast who reserved it: nobody would release it.
  for _, key in ipairs({ keys.quota, keys.open, keys.leases }) do
    redis.call("PEXPIRE", key, KEEP_MS)
  end
end

-- Ends the lease and the reservation of ``id``. Gives what it took of this subject, and
-- the purse it was reserved from, changed and not saved; nil if its month is over.
local function close(keys, id)
  -- First a command that needs no memory: where it ran, a full server lets the rest run.
  redis.call("ZREM", keys.leases, id)
  local packed = redis.call("HGET", keys.open, id)
  if not packed then
    return nil, nil
  end
  redis.call("HDEL", keys.open, id)
  local taken = cmsgpack.unpack(packed)
  local purse = load_purse(keys.quota, taken.month == 0)
  if not purse or purse.month ~= taken.month then
    return taken, nil
  end
  purse.tokens_reserved = math.max(0, purse.tokens_reserved - taken.tokens)
  purse.usd_reserved = math.max(0, purse.usd_reserved - taken.usd)
  return taken, purse
end
