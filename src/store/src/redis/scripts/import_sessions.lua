-- Keeps sessions of a copy.
--
-- keys    s:<member>, heard (see prelude)
-- args    milliseconds that an idle session is kept at most, at least so many from now on, how many, then for
--         each: member, when it was last heard from, session
-- result  nothing

local idle, least = number(), number()
for _ = 1, number() do
  local member, heard_at, body = arg(), number(), arg()
  redis.call('SET', of('s', member), body, 'PX', digits(math.max(heard_at + idle - now, least)))
  add(HEARD, heard_at, member)
end
finish()
return false
