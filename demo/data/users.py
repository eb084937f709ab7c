"""Who works at Larkfield Instruments: user, name, title, team, privileged, manager."""

USERS = (
    ("mara.lindqvist", "Mara Lindqvist", "Accounts payable clerk", "finance", False, "r.castellan"),
    ("r.castellan", "Renzo Castellan", "Head of finance", "finance", False, ""),
    ("tobias.okafor", "Tobias Okafor", "Mechanical engineer", "engineering", False, "i.vantongeren"),
    ("i.vantongeren", "Ilse van Tongeren", "Head of engineering", "engineering", False, ""),
    ("nadia.ferreira", "Nadia Ferreira", "Regional sales lead", "sales", False, "p.aldous"),
    ("p.aldous", "Piers Aldous", "Head of sales", "sales", False, ""),
    ("suki.haraldsen", "Suki Haraldsen", "People partner", "people", False, "r.castellan"),
    ("adm.hollis", "Gwen Hollis", "Directory administrator", "platform", True, "k.brandvold"),
    ("k.brandvold", "Kjetil Brandvold", "Head of platform", "platform", True, ""),
    ("devi.ramanathan", "Devi Ramanathan", "Build engineer", "platform", False, "k.brandvold"),
    ("luca.meszaros", "Luca Meszaros", "Database engineer", "platform", True, "k.brandvold"),
    ("oona.pritchard", "Oona Pritchard", "Shift operator", "operations", False, "i.vantongeren"),
    ("svc-backup", "Backup service", "Service account", "platform", True, "k.brandvold"),
    ("svc-scanner", "Scanner service", "Service account", "platform", True, "k.brandvold"),
    ("svc-build", "Build service", "Service account", "platform", False, "devi.ramanathan"),
)
