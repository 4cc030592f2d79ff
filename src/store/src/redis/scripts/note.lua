-- Adds a line to a ticket's history.
--
-- keys    k:<id>, h:<id> (see dead.lua)
-- args    id, when, word, 1 and the detail or 0 and nothing
-- result  1 when there is such a ticket

local id, at, what, has, detail = arg(), number(), arg(), arg(), arg()
if redis.call('EXISTS', index('k:' .. id)) == 0 then return 0 end
note(id, at, what, has == '1' and detail or nil)
return 1
