-- Sets timers of a copy.
--
-- keys    t:<member>, timers, counts (see prelude)
-- args    how many, then for each: member, name, when, event
-- result  nothing

for _ = 1, number() do
  local member, name, at, event = arg(), arg(), number(), arg()
  local timers = timers_of(member)
  local before = earliest(timers)
  if not timers[name] then count('timers', 1) end
  timers[name] = at
  redis.call('HSET', of('t', member), name, string.format('%013.0f', at) .. event)
  index_timers(member, before, earliest(timers))
end
finish()
return false
