-- Makes what waits for the citizen of a conversation due.
--
-- keys    counts, ow: or:<channel>, o:<member> and those of the other lanes (see prelude)
-- args    channel, member
-- result  nothing

local channel, member = arg(), arg()
unpark(member, channel)
finish()
return false
