-- Takes events in: dedup mark, inbox and readiness, all in one.
--
-- keys    d:<mark>, i:<member>, ready, counts (see prelude)
-- args    events a conversation may have, events that may wait in this index, milliseconds that a mark
--         lives, 1 when each answer must follow a write (WAITAOF waits for the connection's last one),
--         number of groups; a group: number of events; an event: mark, member, body
-- result  one digit an event: 0 stored, 1 duplicate, 2 its inbox is full, 3 the index is full and none of
--         its group was taken; how many events wait in this index now

local bound, most, lifetime, always_write, groups = number(), number(), arg(), arg(), number()
local lives = tonumber(lifetime)
local waiting = tonumber(redis.call('HGET', COUNTS, 'inbox') or '0')
if always_write == '1' then next_number() end

-- An event was one too many; there is another before it, as the bound is at least 1.
local function take_back(member)
  redis.call('RPOP', of('i', member))
  count('inbox', -1)
end

-- Whether a mark still counts; Redis removes it by itself soon after.
local function fresh(accepted) return accepted and tonumber(accepted) + lives > now end

local answers = {}
for _ = 1, groups do
  local size = number()
  local first = cursor
  local full = false
  if waiting + size > most then
    local new = 0
    for i = 1, size do
      if not fresh(redis.call('GET', of('d', ARGV[first + (i - 1) * 3 + 1]))) then new = new + 1 end
    end
    full = waiting + new > most
  end
  for _ = 1, size do
    local mark, member, body = of('d', arg()), arg(), arg()
    if full then
      answers[#answers + 1] = '3'
    else
      local accepted = redis.call('SET', mark, digits(now), 'NX', 'GET', 'PX', lifetime)
      if fresh(accepted) then
        answers[#answers + 1] = '1'
      else
        if accepted then redis.call('SET', mark, digits(now), 'PX', lifetime) end
        if receive(member, body) > bound then
          take_back(member)
          redis.call('DEL', mark)
          answers[#answers + 1] = '2'
        else
          waiting = waiting + 1
          answers[#answers + 1] = '0'
        end
      end
    end
  end
end
finish()
return { table.concat(answers), waiting }
