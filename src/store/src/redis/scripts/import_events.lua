-- Puts events of a copy into inboxes. One that is there already is passed over.
--
-- keys    i:<member>, ready, counts (see prelude)
-- args    number, then for each: its position, member, when it came (milliseconds), event
-- result  nothing

last = tonumber(redis.call('GET', KEYS[1]) or '0')
for _ = 1, number() do
  local position, member, at, body = number(), arg(), number(), arg()
  local before = redis.call('LINDEX', of('i', member), -1)
  if not before or position_of(before) < position then
    local event = string.format('%016.0f%013.0f', position, at) .. body
    if redis.call('RPUSH', of('i', member), event) == 1 then add(READY, position, member) end
    count('inbox', 1)
  end
  last = math.max(last, position)
end
finish()
return false
