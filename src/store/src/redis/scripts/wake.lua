-- Makes the parked reply of a conversation due.
--
-- keys    ow: or:<channel>, o:<member> (see prelude)
-- args    channel, member
-- result  nothing

local channel, member = arg(), arg()
unpark(member, channel)
finish()
return false
