-- Keeps sessions of a copy.
--
-- keys    s:<member>, heard, late (see prelude)
-- args    milliseconds that an idle session is kept at most, at least so many from now on, how many, then for
--         each: member, when it was last heard from, when we took that, session
-- result  nothing

local idle, least = number(), number()
for _ = 1, number() do
  local member, heard_at, taken_at, body = arg(), number(), number(), arg()
  redis.call('SET', of('s', member), body, 'PX', digits(math.max(taken_at + idle - now, least)))
  add(HEARD, taken_at, member)
  if taken_at ~= heard_at then add(LATE, heard_at, member) end
end
finish()
return false
