-- Keeps records of contacts of a copy.
--
-- keys    c:<member>, contacts (see prelude)
-- args    how many, then for each: member, when it was last changed, record
-- result  nothing

for _ = 1, number() do
  local member, at, body = arg(), number(), arg()
  redis.call('SET', of('c', member), body)
  add(CONTACTS, at, member)
end
finish()
return false
