-- Moves timers that are due into their conversations' inboxes, the earliest first.
--
-- keys    timers, t: i:<member>, ready (see prelude)
-- args    how many at most
-- result  now, when to look again (or -1), how many

local most = number()
local due = {}
local all = {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', TIMERS, '-inf', digits(now), 'LIMIT', 0, most)) do
  local timers = timers_of(member)
  all[member] = timers
  for name, at in pairs(timers) do
    if at <= now then due[#due + 1] = { at = at, member = member, name = name } end
  end
end
table.sort(due, function(one, other)
  if one.at ~= other.at then return one.at < other.at end
  if one.member ~= other.member then return one.member < other.member end
  return one.name < other.name
end)
local fired = math.min(#due, most)
local before = {}
for i = 1, fired do
  local timer = due[i]
  local key = of('t', timer.member)
  local event = string.sub(redis.call('HGET', key, timer.name), 14)
  redis.call('HDEL', key, timer.name)
  before[timer.member] = before[timer.member] or earliest(all[timer.member])
  all[timer.member][timer.name] = nil
  receive(timer.member, event)
end
for member, first in pairs(before) do index_timers(member, first, earliest(all[member])) end
count('timers', -fired)
finish()
local next = redis.call('ZRANGE', TIMERS, 0, 0, 'WITHSCORES')
return { digits(now), next[2] and digits(tonumber(next[2])) or '-1', digits(fired) }
