-- Applies what workers did: session, replies, tickets, timers, dead letters and the removal from the inbox;
-- for each conversation all of it or nothing.
--
-- keys    leased, ready, heard, late, contacts, timers, i: s: c: o: on: ob: t: k: x:<member>, those of tickets and dead letters,
--         <prefix>:code:… of each ticket (only where all indexes are on one server)
-- args    milliseconds that an idle session is kept at most; number of commits; a commit: member, channel,
--         token, position up to which it was processed, session (K keep, P put, D delete), its body, when the
--         citizen was heard from (or -1), the window then, erase (0, 1), record of the contact (+ and the record,
--         or empty to keep it); number of replies, each lane, window and body; number of tickets,
--         each key of its code (or empty), reference that the key gets, id, code, title, backend, made at,
--         body, 1 and the personal part or 0 and nothing; number of timers, each S name time event or C name
--         and two empty; number of dead letters, each kind (e event,
--         r reply), lane, reason and body
-- result  one digit a commit: 0 done, 1 lease lost, 2 code taken

local idle, commits = arg(), number()
-- Sessions idle for days: when a citizen was heard from is kept to within a minute, which saves a write.
-- What comes later than that after it was written is late: both moments are kept then.
local HEARD_EXACT = 60000

local function read()
  local c = { member = arg(), channel = arg(), token = arg(), processed = number(), session = arg(), body = arg(),
    heard = number(), window = arg(), erase = arg() == '1', contact = arg(), replies = {}, tickets = {}, timers = {}, aside = {} }
  if c.heard < 0 then c.heard = nil end
  for _, lane in ipairs(LANES) do c.replies[lane] = {} end
  for i = 1, number() do
    local lane, window, reply = arg(), arg(), arg()
    -- Who was heard from has the new window on all answers that are unsent, these too.
    if c.heard and lane == ANSWERS then window = c.window end
    table.insert(c.replies[lane], window .. reply)
  end
  for i = 1, number() do
    local t = { key = arg(), reference = arg(), id = arg(), code = arg(), title = arg(), backend = arg(), at = arg(), body = arg() }
    local has, personal = arg(), arg()
    if has == '1' then t.personal = personal end
    c.tickets[i] = t
  end
  for i = 1, number() do
    c.timers[i] = { op = arg(), name = arg(), at = arg(), event = arg() }
  end
  for i = 1, number() do
    c.aside[i] = { kind = arg(), lane = arg(), reason = arg(), body = arg() }
  end
  return c
end

local function taken(tickets)
  local seen = {}
  for _, t in ipairs(tickets) do
    if seen['c' .. t.code] or seen['i' .. t.id] then return true end
    seen['c' .. t.code], seen['i' .. t.id] = true, true
    if t.key ~= '' and redis.call('EXISTS', t.key) == 1 then return true end
    if redis.call('EXISTS', index('k:' .. t.id)) == 1 then return true end
  end
  return false
end

-- Notes that the citizen was heard from at this moment, and that we took it now.
local function hear(member, at)
  local kept, late = redis.call('ZSCORE', HEARD, member), redis.call('ZSCORE', LATE, member)
  kept = kept and tonumber(kept) or -math.huge
  late = late and tonumber(late)
  at = math.max(at, late or kept)
  if now - at > HEARD_EXACT then
    if kept + HEARD_EXACT < now then redis.call('ZADD', HEARD, digits(now), member) end
    if late ~= at then redis.call('ZADD', LATE, digits(at), member) end
  elseif late then
    redis.call('ZADD', HEARD, digits(at), member)
    redis.call('ZREM', LATE, member)
  elseif kept + HEARD_EXACT < at then
    redis.call('ZADD', HEARD, digits(at), member)
  end
end

local function keep_session(c)
  local member = c.member
  if c.session == 'P' then
    redis.call('SET', of('s', member), c.body, 'PX', idle)
    if c.heard then
      hear(member, c.heard)
    else
      redis.call('ZADD', HEARD, 'NX', digits(now), member)
    end
  elseif c.session == 'D' then
    if redis.call('DEL', of('s', member)) == 1 then forget_heard(member) end
  elseif c.heard and redis.call('PEXPIRE', of('s', member), idle) == 1 then
    hear(member, c.heard)
  end
end

local function keep_contact(c)
  if c.contact == '' then return end
  local record = string.sub(c.contact, 2)
  if record == '' then
    redis.call('DEL', of('c', c.member))
    redis.call('ZREM', CONTACTS, c.member)
  else
    redis.call('SET', of('c', c.member), record)
    redis.call('ZADD', CONTACTS, digits(now), c.member)
  end
end

local function hear(c, before)
  unpark(c.member, c.channel)
  if before == 0 then return end
  local key = of('o', c.member)
  for i, reply in ipairs(redis.call('LRANGE', key, 0, before - 1)) do
    if string.sub(reply, 34, 46) ~= c.window then
      redis.call('LSET', key, i - 1, string.sub(reply, 1, 33) .. c.window .. reply_body(reply))
    end
  end
end

local function change_timers(member, changes)
  if #changes == 0 then return end
  local timers = timers_of(member)
  local before = earliest(timers)
  local set, cancelled = {}, {}
  for _, t in ipairs(changes) do
    if t.op == 'S' then
      if not timers[t.name] then count('timers', 1) end
      timers[t.name] = tonumber(t.at)
      set[t.name], cancelled[t.name] = string.format('%013.0f', tonumber(t.at)) .. t.event, nil
    elseif timers[t.name] then
      count('timers', -1)
      timers[t.name], set[t.name], cancelled[t.name] = nil, nil, true
    end
  end
  local fields, gone = {}, {}
  for name, value in pairs(set) do
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  for name in pairs(cancelled) do gone[#gone + 1] = name end
  for from = 1, #fields, 1000 do
    redis.call('HSET', of('t', member), unpack(fields, from, math.min(from + 999, #fields)))
  end
  for from = 1, #gone, 1000 do
    redis.call('HDEL', of('t', member), unpack(gone, from, math.min(from + 999, #gone)))
  end
  index_timers(member, before, earliest(timers))
end

local function remove_processed(member, processed)
  local key = of('i', member)
  local removed = 0
  while true do
    local event = redis.call('LPOP', key)
    if not event then break end
    local position = position_of(event)
    if position > processed then
      redis.call('LPUSH', key, event)
      break
    end
    removed = removed + 1
    if position == processed then break end
  end
  count('inbox', -removed)
  ready_again(member)
end

local function apply(c)
  if not holds(LEASED, c.member, c.token) then return '1' end
  if #c.tickets > 0 and taken(c.tickets) then return '2' end
  if c.erase then erase(c.member, c.channel) end
  keep_session(c)
  keep_contact(c)
  local answers = c.replies[ANSWERS]
  local before = queue(c.member, c.channel, ANSWERS, answers)
  if c.heard then
    if #answers == 0 then before = redis.call('LLEN', of('o', c.member)) end
    hear(c, before)
  end
  for _, lane in ipairs(LANES) do
    if lane ~= ANSWERS then queue(c.member, c.channel, lane, c.replies[lane]) end
  end
  for _, t in ipairs(c.tickets) do
    if t.key ~= '' then redis.call('SET', t.key, t.reference) end
    keep_ticket(c.member, t)
  end
  change_timers(c.member, c.timers)
  for _, letter in ipairs(c.aside) do
    bury({ k = letter.kind, p = c.channel, c = c.member, r = letter.reason, a = digits(now), n = '1', b = letter.body,
      l = letter.lane })
  end
  remove_processed(c.member, c.processed)
  return '0'
end

local answers = {}
for i = 1, commits do answers[i] = apply(read()) end
finish()
return table.concat(answers)
