-- Puts a dead letter back on its way, or removes it for ever.
--
-- keys    those of dead letters and tickets, i: o:<member> (see prelude and dead.lua)
-- args    number, 1 to retry and 0 to drop
-- result  1 when there was one of that number

local id, retry = arg(), arg() == '1'
local letter = exhume(id)
if not letter then return 0 end
if letter.k == 'd' then
  if not retry then
    note(letter.t, now, 'dropped')
  elseif redis.call('EXISTS', index('k:' .. letter.t)) == 1 then
    redis.call('HSET', index('k:' .. letter.t), 'd', '1')
    queue_delivery(letter.t, letter.p, now)
    note(letter.t, now, 'requeued')
  end
elseif retry and letter.c then
  if letter.k == 'r' then
    queue(letter.c, letter.p, letter.l or ANSWERS, { (letter.w or NO_WINDOW) .. (letter.b or '') })
  else
    receive(letter.c, letter.b or '')
  end
end
finish()
return 1
