-- What every script begins with.
--
-- KEYS[1]  <prefix>:<tag>:seq    the counter of this index; it exists from the first opening on
-- KEYS[2]  <prefix>:<tag>:never  never exists. While a cluster moves the slot, one key that exists and one
--                                that does not make the server refuse the whole script (TRYAGAIN), so that
--                                a script never fails half-way on a key that is still elsewhere.
-- ARGV[1]  prefix    ARGV[2] tag of the index, in braces    ARGV[3] milliseconds, or -1 for the server's clock
--
-- A "member" names a conversation: {partition}channel/citizen, as bytes; keys of a conversation end with it.
--
-- <prefix>:<tag>:ready     sorted set  member -> position of its first event
-- <prefix>:<tag>:leased    sorted set  member -> lease token (see `token`)
-- <prefix>:<tag>:heard     sorted set  member with a session -> when the citizen was last heard from; but for one
--                          in `late`, when we took what was heard: retention goes by this
-- <prefix>:<tag>:late      sorted set  member that was heard from well before we took it -> when it was heard from
-- <prefix>:<tag>:timers    sorted set  member -> its earliest timer
-- <prefix>:<tag>:counts    hash        how much waits
-- <prefix>:<tag>:or:<ch>   sorted set  member -> number of its first reply, of those that may be sent
-- <prefix>:<tag>:ow:<ch>   sorted set  member -> when its first reply is due again; +inf: parked
-- <prefix>:<tag>:ol:<ch>   sorted set  member -> lease token on its first reply
--                          these are of answers; those of notices are orn: own: oln:, of broadcasts orb: owb: olb:
-- <prefix>:<tag>:contacts  sorted set  member with a record -> when it was last changed
-- <prefix>:<tag>:epochs    hash        channel -> epoch of the newest owner that claimed
-- <prefix>:i:<member>      list        waiting events: position (16 digits), time (13 digits), event
-- <prefix>:s:<member>      string      session
-- <prefix>:o:<member>      list        answers: number (16), attempts (4), queued at (13), window (13), reply
-- <prefix>:on:<member>     list        notices, likewise
-- <prefix>:ob:<member>     list        broadcasts, likewise
-- <prefix>:c:<member>      string      record of what the citizen agreed to and refused
-- <prefix>:r:<member>      list        replies sent lately that may yet fail: id of the message, NUL, what is
--                                      needed to send it again; the newest, and it expires by itself
-- <prefix>:t:<member>      hash        timer's name -> time (13 digits), event
-- <prefix>:d:<partition><16 bytes>     dedup mark: when it was accepted; expires by itself
-- The keys of tickets, deliveries and dead letters are told in tickets.lua and dead.lua.

local P, T, now = ARGV[1], ARGV[2], tonumber(ARGV[3])
if now < 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local cursor = 3
local function arg()
  cursor = cursor + 1
  return ARGV[cursor]
end
local function number() return tonumber(arg()) end

local function index(name) return P .. ':' .. T .. ':' .. name end
local function of(name, member) return P .. ':' .. name .. ':' .. member end
local function digits(n) return string.format('%.0f', n) end

local READY, LEASED, HEARD, LATE = index('ready'), index('leased'), index('heard'), index('late')
local TIMERS, COUNTS, EPOCHS = index('timers'), index('counts'), index('epochs')
local CONTACTS = index('contacts')

-- Numbers that grow with every use and, so that those of several indexes can be compared, with the
-- clock: 256 a millisecond since 2020.
local EPOCH_2020 = 1577836800000
local last
local function next_number()
  if not last then
    last = tonumber(redis.call('GET', KEYS[1]) or '0')
    local clock = (now - EPOCH_2020) * 256
    if clock > last then last = clock end
  end
  last = last + 1
  return last
end

-- A lease's token is also its score: the time at which it runs out, then 12 bits that tell apart those
-- that run out together. Exact in a double until 2089.
local function token(until_ms)
  return (until_ms - EPOCH_2020) * 4096 + next_number() % 4096
end
local function expires(score) return math.floor(score / 4096) + EPOCH_2020 end
-- The greatest score of those that have run out.
local function run_out() return '(' .. digits((now + 1 - EPOCH_2020) * 4096) end
local function holds(set, member, wanted)
  local score = redis.call('ZSCORE', set, member)
  return score and tonumber(score) == tonumber(wanted)
end

local function forget_heard(member)
  redis.call('ZREM', HEARD, member)
  redis.call('ZREM', LATE, member)
end

local counted = {}
local function count(what, by) counted[what] = (counted[what] or 0) + by end

-- What is to be added to sorted sets, gathered so that each is written once.
local additions = {}
local function add(set, score, member, topic)
  local adding = additions[set]
  if not adding then
    adding = { topic = topic }
    additions[set] = adding
  end
  adding[#adding + 1] = digits(score)
  adding[#adding + 1] = member
end

local topics = {}
local function wake(topic) topics[topic] = true end

-- Writes what was added. A topic is woken when its set was empty: otherwise somebody was woken before
-- and wakes the next when more is left than they took.
local function flush()
  for set, adding in pairs(additions) do
    if adding.topic and redis.call('ZCARD', set) == 0 then wake(adding.topic) end
    for from = 1, #adding, 1000 do
      redis.call('ZADD', set, unpack(adding, from, math.min(from + 999, #adding)))
    end
  end
  additions = {}
end

local function finish()
  flush()
  if last then redis.call('SET', KEYS[1], digits(last)) end
  for what, by in pairs(counted) do
    if by ~= 0 then redis.call('HINCRBY', COUNTS, what, digits(by)) end
  end
  local message = T
  for topic in pairs(topics) do message = message .. '\n' .. topic end
  if message ~= T then redis.call('PUBLISH', P .. ':wake', message) end
end

-- Inbox.
local function position_of(event) return tonumber(string.sub(event, 1, 16)) end
local function arrival_of(event) return tonumber(string.sub(event, 17, 29)) end

-- Appends an event; the new length of the inbox.
local function receive(member, body)
  local position = next_number()
  local length = redis.call('RPUSH', of('i', member), string.format('%016.0f%013.0f', position, now) .. body)
  -- One alone is neither ready nor leased yet.
  if length == 1 then add(READY, position, member, 'i') end
  count('inbox', 1)
  return length
end

-- Makes a conversation ready again, if something waits.
local function ready_again(member)
  redis.call('ZREM', LEASED, member)
  local first = redis.call('LINDEX', of('i', member), 0)
  if first then add(READY, position_of(first), member, 'i') end
end

-- Outbox.
local NO_WINDOW = '0000000000000'
local function reply_number(reply) return tonumber(string.sub(reply, 1, 16)) end
local function reply_body(reply) return string.sub(reply, 47) end

-- Lanes, in the order in which they are served: answers, notices, broadcasts.
local LANES, ANSWERS = { '', 'n', 'b' }, ''

local function out(what, channel, lane) return index(what .. lane .. ':' .. channel) end

local function count_replies(channel, lane, by)
  count('o:' .. channel, by)
  if lane ~= ANSWERS then count('l:' .. channel, by) end
end

-- The lanes of a channel in which something may wait: mostly there are answers only.
local others_wait = {}
local function lanes(channel)
  if others_wait[channel] == nil then
    others_wait[channel] = tonumber(redis.call('HGET', COUNTS, 'l:' .. channel) or '0') > 0
  end
  if others_wait[channel] or counted['l:' .. channel] then return LANES end
  return { ANSWERS }
end

local function queue(member, channel, lane, replies)
  if #replies == 0 then return 0 end
  local first
  for i, reply in ipairs(replies) do
    local id = next_number()
    first = first or id
    replies[i] = string.format('%016.0f0000%013.0f', id, now) .. reply
  end
  local key, length = of('o' .. lane, member), 0
  for from = 1, #replies, 1000 do
    length = redis.call('RPUSH', key, unpack(replies, from, math.min(from + 999, #replies)))
  end
  if length == #replies then add(out('or', channel, lane), first, member, 'o:' .. channel) end
  count_replies(channel, lane, #replies)
  return length - #replies
end

-- The first reply of a conversation in a lane may be sent (again).
local function sendable(member, channel, lane)
  local first = redis.call('LINDEX', of('o' .. lane, member), 0)
  if first then add(out('or', channel, lane), reply_number(first), member, 'o:' .. channel) end
end

-- The citizen is there: what is parked becomes due, and notices and broadcasts that wait for a moment.
local function unpark(member, channel)
  for _, lane in ipairs(lanes(channel)) do
    local waiting = out('ow', channel, lane)
    local due = redis.call('ZSCORE', waiting, member)
    if due and (lane ~= ANSWERS or tonumber(due) == math.huge) then
      redis.call('ZREM', waiting, member)
      sendable(member, channel, lane)
    end
  end
end

-- Timers: the hash has them all, the index only the earliest of each conversation.
local function timers_of(member)
  local flat, timers = redis.call('HGETALL', of('t', member)), {}
  for i = 1, #flat, 2 do
    timers[flat[i]] = tonumber(string.sub(flat[i + 1], 1, 13))
  end
  return timers
end

local function earliest(timers)
  local first
  for _, at in pairs(timers) do
    if not first or at < first then first = at end
  end
  return first
end

local function index_timers(member, before, after)
  if after == before then return end
  if not after then
    redis.call('ZREM', TIMERS, member)
    return
  end
  redis.call('ZADD', TIMERS, digits(after), member)
  if not before or after < before then
    local first = redis.call('ZRANGE', TIMERS, 0, 0)
    if first[1] == member then wake('t') end
  end
end
