-- Puts replies of a copy into outboxes. One that is there already is passed over.
--
-- keys    o: on: ob:<member>, or: ow:<channel> and those of the other lanes, counts (see prelude)
-- args    how many, then for each: its number, channel, member, attempts, when it was queued (milliseconds),
--         window, reply, R for ready or P for parked or when it is due, lane
-- result  nothing

last = tonumber(redis.call('GET', KEYS[1]) or '0')
for _ = 1, number() do
  local id, channel, member, attempts, queued_at = number(), arg(), arg(), math.min(number(), 9999), number()
  local window, body, standing, lane = arg(), arg(), arg(), arg()
  local key = of('o' .. lane, member)
  local before = redis.call('LINDEX', key, -1)
  if not before or reply_number(before) < id then
    local head = string.format('%016.0f%04.0f%013.0f', id, attempts, queued_at)
    if redis.call('RPUSH', key, head .. window .. body) == 1 then
      if standing == 'R' then
        add(out('or', channel, lane), id, member)
      elseif standing == 'P' then
        redis.call('ZADD', out('ow', channel, lane), '+inf', member)
      else
        redis.call('ZADD', out('ow', channel, lane), standing, member)
      end
    end
    count_replies(channel, lane, 1)
  end
  last = math.max(last, id)
end
finish()
return false
