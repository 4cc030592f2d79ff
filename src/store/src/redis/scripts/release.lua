-- Gives claimed conversations back.
--
-- keys    leased, ready, i:<member> (see prelude)
-- args    number, then for each: member, token, when it is ready again (milliseconds)
-- result  nothing

for _ = 1, number() do
  local member, held, at = arg(), arg(), number()
  if holds(LEASED, member, held) then
    if at <= now then
      ready_again(member)
    else
      redis.call('ZADD', LEASED, digits(token(at)), member)
    end
  end
end
finish()
return false
