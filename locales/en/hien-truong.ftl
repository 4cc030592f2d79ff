# Words of flows/hien-truong.toml in English: `flow` is the title, every question has its id.
flow = Report from the street
    .done = Your report has been received. Your code is { $code }. Keep it to check on the report. Thank you!
    .emergency = If anyone is in danger, call 113 (police), 114 (fire) or 115 (ambulance) now. This channel does not replace them. Your report will be marked urgent.

mo_ta = What is the problem? Describe it briefly, or send a photo.
    .label = Problem
    .help = For example: The street light in front of number 12 has been broken for three days.

vi_tri = Where is it? Share a location, or type an address, for example: in front of 12 Nguyễn Trãi, Cái Khế ward.
    .label = Place

nhom = What is it about?
    .label = Field
    .choice-ha_tang = Roads, pavements, lights, drains
    .hints-ha_tang = pothole, pavement, sidewalk, manhole, street light, streetlight
    .choice-giao_thong = Traffic, parking, buses
    .hints-giao_thong = traffic light, road sign, congestion, traffic jam, parking, bus, ferry
    .choice-nuoc = Flooding, water supply, erosion
    .hints-nuoc = flood, flooded, flooding, no water, dirty water, leak, erosion
    .choice-moi_truong = Waste, pollution, noise
    .hints-moi_truong = garbage, trash, rubbish, waste, pollution, smell, smoke, noise, karaoke, stray dog, dead animal
    .choice-cay_xanh = Trees, parks
    .hints-cay_xanh = tree, fallen tree, branch, park
    .choice-trat_tu = Encroachment, building, adverts
    .hints-trat_tu = encroachment, street vendor, illegal building, advert, flyer
    .choice-an_ninh = Public order, fire
    .hints-an_ninh = theft, stolen, fight, drugs, gambling, on fire
    .choice-dien_vt = Electricity, telecom
    .hints-dien_vt = power cut, blackout, power line, cable, internet
    .choice-xa_hoi = Health, education, welfare, prices
    .hints-xa_hoi = hospital, clinic, food poisoning, school, teacher, allowance, fake goods, overcharged
    .choice-khac = Procedures, officials, other
    .hints-khac = procedure, dossier, official, land, online service, other

ha_tang = Which one exactly?
    .label = Kind
    .choice-DUONG_HU = Road or pavement damage
    .hints-DUONG_HU = pothole, pavement, sidewalk
    .choice-NAP_HO_GA = Manhole, drain cover
    .hints-NAP_HO_GA = manhole, drain cover
    .choice-DEN_DUONG = Street light
    .hints-DEN_DUONG = street light, streetlight

giao_thong = Which one exactly?
    .label = Kind
    .choice-TIN_HIEU = Signals and signs
    .hints-TIN_HIEU = traffic light, road sign
    .choice-UN_TAC = Congestion, wrong parking
    .hints-UN_TAC = congestion, traffic jam, parking
    .choice-XE_BUYT = Buses, stations, ferries
    .hints-XE_BUYT = bus, ferry

nuoc = Which one exactly?
    .label = Kind
    .choice-NGAP = Flooding, blocked drain
    .hints-NGAP = flood, flooded, flooding
    .choice-CAP_NUOC = Water supply
    .hints-CAP_NUOC = no water, dirty water, leak
    .choice-SAT_LO = River-bank erosion
    .hints-SAT_LO = erosion

moi_truong = Which one exactly?
    .label = Kind
    .choice-RAC = Waste
    .hints-RAC = garbage, trash, rubbish
    .choice-O_NHIEM = Water, air or smell pollution
    .hints-O_NHIEM = pollution, smell, smoke
    .choice-TIENG_ON = Noise
    .hints-TIENG_ON = karaoke
    .choice-DONG_VAT = Dogs, cats, dead animals
    .hints-DONG_VAT = stray dog, dead animal

cay_xanh = Which one exactly?
    .label = Kind
    .choice-CAY_XANH = Fallen tree, broken branch, tree to trim
    .hints-CAY_XANH = tree, branch
    .choice-CONG_VIEN = Park, flower bed
    .hints-CONG_VIEN = park

trat_tu = Which one exactly?
    .label = Kind
    .choice-LAN_CHIEM = Road or pavement taken over
    .hints-LAN_CHIEM = encroachment, street vendor
    .choice-XAY_DUNG = Illegal building
    .hints-XAY_DUNG = illegal building
    .choice-QUANG_CAO = Illegal adverts
    .hints-QUANG_CAO = advert, flyer

an_ninh = Which one exactly?
    .label = Kind
    .choice-AN_NINH = Public order
    .hints-AN_NINH = theft, stolen, fight, drugs, gambling
    .choice-CHAY_NO = Fire risk
    .hints-CHAY_NO = on fire, fire

dien_vt = Which one exactly?
    .label = Kind
    .choice-DIEN = Electricity
    .hints-DIEN = power cut, blackout, power line
    .choice-VIEN_THONG = Telecom, cables
    .hints-VIEN_THONG = cable, internet

xa_hoi = Which one exactly?
    .label = Kind
    .choice-Y_TE = Health, health insurance
    .hints-Y_TE = hospital, clinic
    .choice-ATTP = Food safety
    .hints-ATTP = food poisoning
    .choice-GIAO_DUC = Education
    .hints-GIAO_DUC = school, teacher
    .choice-AN_SINH = Welfare
    .hints-AN_SINH = allowance
    .choice-GIA_CA = Prices, fake goods
    .hints-GIA_CA = fake goods, overcharged
    .choice-DU_LICH = Tourism
    .hints-DU_LICH = tourist

khac = Which one exactly?
    .label = Kind
    .choice-TTHC = Administrative procedures
    .hints-TTHC = procedure, dossier
    .choice-THAI_DO = Conduct of officials
    .hints-THAI_DO = official
    .choice-DVC_TT = Online services, VNeID
    .hints-DVC_TT = online service
    .choice-DAT_DAI = Land, planning
    .hints-DAT_DAI = land
    .choice-NONG_NGHIEP = Farming, irrigation
    .hints-NONG_NGHIEP = farming, irrigation
    .choice-KHAC = Something else
    .hints-KHAC = other

anh = If you can, send photos, video or a voice note (up to 5). Reply DONE when finished, or 0 to skip.
    .label = Photos, video

ho_ten = What is your name, so that we can answer you (not published)? Reply SKIP if you would rather not say.
    .label = Name
    .help = For example: Nguyễn Thị Hoa. Reply SKIP if you would rather not say.

dien_thoai = What is your phone number, in case we need to reach you (not published)? Reply SKIP if you would rather not say.
    .label = Phone

cong_khai = May we publish the content (without your name and number), so that everyone can follow it?
    .label = May be published

dong_y = To handle your report, { $agency } stores the texts, photos, location and contact details you send. Location is sensitive personal data. We use them only to handle and answer, keep them at most { $retention_months } months and never publish your name or number. You can see or delete them at any time (reply DELETE MY DATA). Details: { $privacy_url }. Do you agree?
    .label = Agrees to storage
    .refused = We respect your choice and will not keep this message. You may call { $hotline } or visit { $address }.
