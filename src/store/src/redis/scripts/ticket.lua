-- Finds a ticket.
--
-- keys    k: h:<id> (see dead.lua)
-- args    id
-- result  its fields as a flat list (empty when there is none), its history

local id = arg()
return { redis.call('HGETALL', index('k:' .. id)), redis.call('LRANGE', index('h:' .. id), 0, -1) }
