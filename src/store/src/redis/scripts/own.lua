-- Takes, renews or lets go of the right to send on channels.
--
-- keys    <prefix>:<tag>:owners   hash  channel -> epoch (16 digits), until (13 digits), owner
-- args    owner, milliseconds of the lease (0 lets go), number of channels, the channels
-- result  for each: epoch and 0, or 0 and for how many milliseconds another has it

local OWNERS = index('owners')
local owner, lease = arg(), number()
local result = {}
for _ = 1, number() do
  local channel = arg()
  local held = redis.call('HGET', OWNERS, channel)
  local epoch, ends, holder = 0, 0, ''
  if held then
    epoch, ends, holder = tonumber(string.sub(held, 1, 16)), tonumber(string.sub(held, 17, 29)), string.sub(held, 30)
  end
  local free = ends <= now
  if lease == 0 then
    if holder == owner then
      redis.call('HSET', OWNERS, channel, string.format('%016.0f%013.0f', epoch, 0))
    end
  elseif free or holder == owner then
    -- One that ran out is a new reign, even of the same owner: it may have stopped believing in it.
    -- At least the time, so that it grows also where the server lost what it had.
    if free then epoch = math.max(epoch + 1, now) end
    redis.call('HSET', OWNERS, channel, string.format('%016.0f%013.0f', epoch, now + lease) .. owner)
    result[#result + 1] = digits(epoch)
    result[#result + 1] = '0'
  else
    result[#result + 1] = '0'
    result[#result + 1] = digits(ends - now)
  end
end
return result
