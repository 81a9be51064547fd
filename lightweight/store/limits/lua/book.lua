-- What every script begins with: the arithmetic of policy/book.py, over keys of Redis.
-- Times are whole milliseconds; numbers stay below 2^53, where Lua's are exact.

local SPAN_MS = 60000
local KEPT = 61            -- seconds that count, the running one among them
local WINDOW_MS = 62000    -- nothing in a window counts any longer than that
local LEASE_MS = 30000
local GIVE_UP_MS = 600000  -- after its lease ended, a reservation is nobody's
local OPEN_MS = 900000     -- longer than both together
local QUOTA_MS = 40 * 86400000

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
  local kept = redis.call("HMGET", CLOCK, "time", "ahead")
  local time, ahead = tonumber(kept[1]) or now, tonumber(kept[2]) or 0
  if now + ahead < time - SPAN_MS then
    ahead = time - now
  elseif now + ahead > time then
    time = now + ahead
  end
  redis.call("HSET", CLOCK, "time", whole(time), "ahead", whole(ahead))
  redis.call("PEXPIRE", CLOCK, OPEN_MS)
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

-- A window is one string: second, requests, tokens; the next second …, oldest first.
local REQUESTS, TOKENS = 1, 2

local function load_window(key, second)
  local packed = redis.call("GET", key)
  local all = packed and cmsgpack.unpack(packed) or {}
  local window = { 0, 0, seconds = {} } -- both totals, and what they are made of
  for i = 1, #all, 3 do
    if all[i] > second - KEPT then
      table.insert(window.seconds, { all[i + 1], all[i + 2], at = all[i] })
      window[REQUESTS] = window[REQUESTS] + all[i + 1]
      window[TOKENS] = window[TOKENS] + all[i + 2]
    end
  end
  return window
end

local function save_window(key, window)
  local all = {}
  for _, each in ipairs(window.seconds) do
    if each[REQUESTS] > 0 or each[TOKENS] > 0 then
      all[#all + 1] = each.at
      all[#all + 1] = each[REQUESTS]
      all[#all + 1] = each[TOKENS]
    end
  end
  if #all == 0 then
    redis.call("DEL", key)
  else
    redis.call("SET", key, cmsgpack.pack(all), "PX", WINDOW_MS)
  end
end

-- Gives what a second holds, made if need be.
local function second_of(window, second)
  local place = #window.seconds
  while place > 0 and window.seconds[place].at > second do
    place = place - 1
  end
  local found = window.seconds[place]
  if not found or found.at ~= second then
    found = { 0, 0, at = second }
    table.insert(window.seconds, place + 1, found)
  end
  return found
end

-- Counts ``amount`` in a second; less than nothing never stays there.
local function count(window, second, what, amount)
  local found = second_of(window, second)
  amount = math.max(amount, -found[what])
  found[what] = found[what] + amount
  window[what] = window[what] + amount
end

-- Gives the time at which ``amount`` will have left.
local function frees(window, what, amount)
  for _, each in ipairs(window.seconds) do
    amount = amount - each[what]
    if amount <= 0 then
      return (each.at + KEPT) * 1000
    end
  end
end

-- Gives the time at which all will have left; nil: it has.
local function empty(window, what)
  for i = #window.seconds, 1, -1 do
    if window.seconds[i][what] > 0 then
      return (window.seconds[i].at + KEPT) * 1000
    end
  end
end

-- A purse is half of the quota's hash: its month, 0 for the prepaid one, and of tokens
-- and of micro-USD what is used and reserved. It is told (1) once the ledger said what
-- was used: before, after a flush, it knows only a part.
local FIELDS = { "month", "told", "tokens", "tokens_reserved", "usd", "usd_reserved" }

local function fields_of(prepaid)
  local names = {}
  for i, name in ipairs(FIELDS) do
    names[i] = (prepaid and "prepaid_" or "month_") .. name
  end
  return names
end

local MONTHLY, PREPAID = fields_of(false), fields_of(true)

local function new_purse(month, told)
  return { month = month, told = told, tokens = 0, tokens_reserved = 0,
           usd = 0, usd_reserved = 0 }
end

-- nil: there is none.
local function load_purse(key, prepaid)
  local kept = redis.call("HMGET", key, unpack(prepaid and PREPAID or MONTHLY))
  if not kept[1] then
    return nil
  end
  local purse = {}
  for i, name in ipairs(FIELDS) do
    purse[name] = tonumber(kept[i])
  end
  return purse
end

local function save_purse(key, prepaid, purse)
  local pairs_ = {}
  for i, name in ipairs(prepaid and PREPAID or MONTHLY) do
    pairs_[2 * i - 1] = name
    pairs_[2 * i] = whole(purse[FIELDS[i]])
  end
  redis.call("HSET", key, unpack(pairs_))
  redis.call("PEXPIRE", key, QUOTA_MS)
end

-- What one open ask took of one subject; its month is that of the purse.
local function write_taken(taken)
  return whole(taken.second) .. " " .. whole(taken.tokens) .. " "
    .. whole(taken.usd) .. " " .. whole(taken.month)
end

-- Ends the lease and the reservation of ``id``. Gives what it took, and the purse that
-- it was reserved from while that is the current one, without saving it.
local function close(keys, id)
  -- First a command that needs no memory: where it ran, a full server lets the rest run.
  redis.call("ZREM", keys.leases, id)
  local text = redis.call("HGET", keys.open, id)
  if not text then
    return nil, nil
  end
  redis.call("HDEL", keys.open, id)
  local second, tokens, usd, month = string.match(text, "(%S+) (%S+) (%S+) (%S+)")
  local taken = { second = tonumber(second), tokens = tonumber(tokens),
                  usd = tonumber(usd), month = tonumber(month) }
  local purse = load_purse(keys.quota, taken.month == 0)
  if not purse or purse.month ~= taken.month then
    return taken, nil
  end
  purse.tokens_reserved = math.max(0, purse.tokens_reserved - taken.tokens)
  purse.usd_reserved = math.max(0, purse.usd_reserved - taken.usd)
  return taken, purse
end
