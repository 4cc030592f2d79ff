-- Dead letters and tickets, as functions for the scripts that need them.
--
-- <prefix>:<tag>:dead          sorted set  number -> itself, so in order
-- <prefix>:<tag>:x:<number>    hash   k kind (e event, r reply, d delivery), p place, c member, t ticket,
--                                     r reason, a when, n attempts, b body, w window,
--                                     l lane (nothing for answers)
-- <prefix>:x:<member>          set    numbers of a conversation's dead letters
-- <prefix>:<tag>:tickets       sorted set  id -> when it was made
-- <prefix>:<tag>:personal      sorted set  id -> the same, of those that still know a person
-- <prefix>:<tag>:k:<id>        hash   code, title, c member, e backend, d delivery state, f reference,
--                                     a made at, b body, p personal part, n attempts, q queued at, u due at,
--                                     x number of its dead letter
-- <prefix>:<tag>:h:<id>        list   history: when (13 digits), word, and after a line feed the detail
-- <prefix>:k:<member>          sorted set  id -> when it was made
-- <prefix>:<tag>:dd:<backend>  sorted set  id -> when its delivery is due
-- <prefix>:<tag>:dl:<backend>  sorted set  id -> lease token
-- <prefix>:<tag>:off           hash   backend -> since when (13 digits), why

local DEAD, TICKETS, PERSONAL, OFF = index('dead'), index('tickets'), index('personal'), index('off')

local function bury(letter)
  local id = digits(next_number())
  local fields = {}
  for name, value in pairs(letter) do
    if value and value ~= '' then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  redis.call('HSET', index('x:' .. id), unpack(fields))
  redis.call('ZADD', DEAD, id, id)
  if letter.c and letter.c ~= '' then redis.call('SADD', of('x', letter.c), id) end
  count('x:' .. letter.k, 1)
  return id
end

-- Takes a dead letter away; its fields, or nil.
local function exhume(id)
  local flat, letter = redis.call('HGETALL', index('x:' .. id)), {}
  if #flat == 0 then return nil end
  for i = 1, #flat, 2 do letter[flat[i]] = flat[i + 1] end
  redis.call('DEL', index('x:' .. id))
  redis.call('ZREM', DEAD, id)
  if letter.c then redis.call('SREM', of('x', letter.c), id) end
  if letter.t then redis.call('HDEL', index('k:' .. letter.t), 'x') end
  count('x:' .. letter.k, -1)
  return letter
end

local function note(ticket, at, what, detail)
  local line = string.format('%013.0f', at) .. what
  if detail then line = line .. '\n' .. detail end
  redis.call('RPUSH', index('h:' .. ticket), line)
end

local function queue_delivery(ticket, backend, at)
  redis.call('HSET', index('k:' .. ticket), 'n', '0', 'q', digits(at), 'u', digits(at))
  add(index('dd:' .. backend), at, ticket, 'd:' .. backend)
  count('d:' .. backend, 1)
end

local function keep_ticket(member, ticket)
  local key = index('k:' .. ticket.id)
  local state = '0'
  if ticket.backend ~= '' then state = '1' end
  redis.call('HSET', key, 'code', ticket.code, 'title', ticket.title, 'c', member, 'd', state, 'a', ticket.at, 'b', ticket.body)
  if ticket.personal then redis.call('HSET', key, 'p', ticket.personal) end
  redis.call('ZADD', TICKETS, ticket.at, ticket.id)
  redis.call('ZADD', PERSONAL, ticket.at, ticket.id)
  redis.call('ZADD', of('k', member), ticket.at, ticket.id)
  note(ticket.id, tonumber(ticket.at), 'created')
  if ticket.backend ~= '' then
    redis.call('HSET', key, 'e', ticket.backend)
    queue_delivery(ticket.id, ticket.backend, tonumber(ticket.at))
  end
end

-- A ticket loses its personal part and its tie to the conversation.
local function forget_person(id)
  local key = index('k:' .. id)
  local found = redis.call('HMGET', key, 'c', 'x')
  redis.call('HDEL', key, 'c', 'p')
  redis.call('ZREM', PERSONAL, id)
  if found[1] then redis.call('ZREM', of('k', found[1]), id) end
  if found[2] then
    redis.call('HDEL', index('x:' .. found[2]), 'c')
    if found[1] then redis.call('SREM', of('x', found[1]), found[2]) end
  end
  note(id, now, 'erased')
end

-- Removes everything held of a conversation: whether there was a session, what waited, how many tickets.
local function erase(member, channel)
  local session = redis.call('DEL', of('s', member))
  forget_heard(member)
  local events = redis.call('LLEN', of('i', member))
  redis.call('DEL', of('i', member))
  redis.call('ZREM', READY, member)
  redis.call('ZREM', LEASED, member)
  count('inbox', -events)
  redis.call('DEL', of('c', member))
  redis.call('DEL', of('r', member))
  redis.call('ZREM', CONTACTS, member)
  local replies = 0
  for _, lane in ipairs(LANES) do
    local here = redis.call('LLEN', of('o' .. lane, member))
    redis.call('DEL', of('o' .. lane, member))
    for _, what in ipairs({ 'or', 'ow', 'ol' }) do redis.call('ZREM', out(what, channel, lane), member) end
    count_replies(channel, lane, -here)
    replies = replies + here
  end
  local timers = redis.call('HLEN', of('t', member))
  redis.call('DEL', of('t', member))
  redis.call('ZREM', TIMERS, member)
  count('timers', -timers)
  local letters = 0
  for _, id in ipairs(redis.call('SMEMBERS', of('x', member))) do
    -- That of a delivery stays, without the conversation: its ticket stays too.
    if redis.call('HGET', index('x:' .. id), 'k') == 'd' then
      redis.call('HDEL', index('x:' .. id), 'c')
      redis.call('SREM', of('x', member), id)
    elseif exhume(id) then
      letters = letters + 1
    end
  end
  local tickets = redis.call('ZRANGE', of('k', member), 0, -1)
  for _, id in ipairs(tickets) do forget_person(id) end
  return session, events + replies + letters, #tickets
end
