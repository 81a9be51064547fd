-- Takes all that an ask wants of each subject, or nothing; says which and why.
-- ARGV: the Ask as msgpack; the time, 0 for the server's; "look" to take nothing.
-- Gives one line: "unseeded", or a Verdict as JSON, without the limits nobody has.

local ask = cmsgpack.unpack(ARGV[1])
local look = ARGV[3] == "look"
local clock = read_clock(now_of(tonumber(ARGV[2])))
local month = month_of(clock.now)

-- Nobody renewed these for long: whoever held them is gone. A hundred hold Redis up for
-- about a millisecond; more wait for the next ask.
local function sweep(keys)
  local lost = redis.call("ZRANGEBYSCORE", keys.leases, "-inf",
    whole(clock.time - GIVE_UP_MS), "LIMIT", 0, 100)
  for _, id in ipairs(lost) do
    local _, purse = close(keys, id)
    if purse then
      save_purse(keys, purse)
    end
  end
end

local standing, unseeded = {}, false
for i, subject in ipairs(ask.subjects) do
  local keys, limits = keys_of(i), subject.limits
  sweep(keys)
  local purse = load_purse(keys.quota, limits.prepaid)
    or new_purse(limits.prepaid and 0 or month, false)
  if not limits.prepaid and month > purse.month then
    purse = new_purse(month, purse.told)
    -- Refused or not, the month before is over for good.
    save_purse(keys, purse)
  end
  if not purse.told and (limits.quota_tokens or limits.quota_micro_usd) then
    unseeded = true
  end
  standing[i] = {
    keys = keys, limits = limits, purse = purse,
    window = load_window(keys.window, clock.second),
    leases = redis.call("ZCOUNT", keys.leases, "(" .. whole(clock.time), "+inf"),
  }
end
if unseeded then
  return redis.status_reply("unseeded")
end

-- The limits in the order in which a refusal names them.
local LIMITS = { "requests", "tokens", "concurrency", "quota_tokens", "quota_usd" }
local function wanted_of(subject)
  local limits, purse = subject.limits, subject.purse
  return {
    { limits.rpm, subject.window[REQUESTS], 1, window = REQUESTS },
    { limits.tpm, subject.window[TOKENS], ask.tokens, window = TOKENS },
    { limits.concurrency, subject.leases, 1, wait = 1000 },
    { limits.quota_tokens, purse.tokens + purse.tokens_reserved, ask.tokens,
      resets = not limits.prepaid and purse.month },
    { limits.quota_micro_usd, purse.usd + purse.usd_reserved, ask.micro_usd,
      resets = not limits.prepaid and purse.month },
  }
end

-- nil: waiting does not help.
local function wait_of(subject, wanted)
  local allowed, gone, more = wanted[1], wanted[2], wanted[3]
  if more > allowed then
    return nil
  elseif wanted.window then
    return frees(subject.window, wanted.window, gone + more - allowed)
      - clock.now - clock.ahead
  elseif wanted.resets then
    return start_of(wanted.resets + 1) - clock.now
  end
  return wanted.wait
end

-- The first limit without room, with the longest wait of them all.
local function refusal()
  local first, longest, never = nil, 0, false
  for i, subject in ipairs(standing) do
    for order, wanted in ipairs(wanted_of(subject)) do
      local allowed = wanted[1]
      if allowed and wanted[2] + wanted[3] > allowed then
        local wait = wait_of(subject, wanted)
        never = never or not wait
        longest = math.max(longest, wait or 0)
        if not first or order < first.order then
          first = { subject = i, order = order, allowed = allowed }
        end
      end
    end
  end
  if first and not never then
    first.wait = longest
  end
  return first
end

local function take()
  for _, subject in ipairs(standing) do
    local keys, window, purse = subject.keys, subject.window, subject.purse
    count(window, clock.second, REQUESTS, 1)
    count(window, clock.second, TOKENS, ask.tokens)
    save_window(keys.window, window)
    purse.tokens_reserved = purse.tokens_reserved + ask.tokens
    purse.usd_reserved = purse.usd_reserved + ask.micro_usd
    redis.call("HSET", keys.open, ask.id, cmsgpack.pack({
      second = clock.second, tokens = ask.tokens, usd = ask.micro_usd,
      month = purse.month }))
    redis.call("ZADD", keys.leases, whole(clock.time + LEASE_MS), ask.id)
    save_purse(keys, purse)
  end
end

local refused
if redis.call("HEXISTS", standing[1].keys.open, ask.id) == 0 then
  refused = refusal()
  if not refused and not look then
    take()
  end
end

-- Of one limit, that of the subject with the least of it left.
local function least(limit, gone_of)
  local found, left
  for _, subject in ipairs(standing) do
    local allowed = subject.limits[limit]
    if allowed then
      local remaining = math.max(0, allowed - gone_of(subject))
      if not found or remaining < left then
        found, left = subject, remaining
      end
    end
  end
  return found, left
end

-- A verdict, in the order of its parts (policy/pace.py).
local said = { "null", "null", "null", "null", "null" }

local function say_room(place, limit, what)
  local subject, left = least(limit, function(each) return each.window[what] end)
  if subject then
    local until_ = empty(subject.window, what)
    said[place] = string.format("[%.0f,%.0f,%.0f]", subject.limits[limit], left,
      until_ and until_ - clock.now - clock.ahead or 0)
  end
end

local function say_balance(place, limit, used, reserved)
  local subject = least(limit, function(each)
    return each.purse[used] + each.purse[reserved]
  end)
  if subject then
    local purse = subject.purse
    said[place] = string.format("[%.0f,%.0f,%.0f,%s]",
      subject.limits[limit], purse[used], purse[reserved],
      subject.limits.prepaid and "null" or whole(start_of(purse.month + 1)))
  end
end

if refused then
  said[1] = string.format('[%s,"%s",%.0f,%s]',
    cjson.encode(ask.subjects[refused.subject].name), LIMITS[refused.order],
    refused.allowed, refused.wait and whole(refused.wait) or "null")
end
say_room(2, "rpm", REQUESTS)
say_room(3, "tpm", TOKENS)
say_balance(4, "quota_tokens", "tokens", "tokens_reserved")
say_balance(5, "quota_micro_usd", "usd", "usd_reserved")
return redis.status_reply("[" .. table.concat(said, ",") .. "]")
