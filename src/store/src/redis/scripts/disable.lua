-- Stops or enables deliveries to a backend.
--
-- keys    off (see dead.lua)
-- args    backend, since when (13 digits) and why in one, or empty to enable
-- result  nothing

local backend, value = arg(), arg()
if value == '' then redis.call('HDEL', OFF, backend) else redis.call('HSET', OFF, backend, value) end
wake('d:' .. backend)
finish()
return false
